/** What may stand in a pattern: what streams' names are made of, and `*`. */
const PATTERN = /^[A-Za-z0-9_.*-]{1,64}$/;

/** Whether `text` can be a pattern of streams' names. */
export const isStreamPattern = (text: string): boolean => PATTERN.test(text);

/** Whether a stream's name is one that a pattern means; `*` stands for any characters, or none. */
export const matchesPattern = (pattern: string, name: string): boolean => patternMatcher(pattern)(name);

/** {@link matchesPattern} for a pattern that very many names are held against. */
export function patternMatcher(pattern: string): (name: string) => boolean {
  if (pattern === '*') return () => true;
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return (name) => name === head;
  return (name) => hasPieces(name, head, rest, tail);
}

/** Begins with `head`, ends with `tail`, and has the pieces one after the other in between. */
function hasPieces(name: string, head: string, pieces: readonly string[], tail: string): boolean {
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  // The first place that fits leaves the most for those behind it.
  let at = head.length;
  const end = name.length - tail.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
