import { ProtocolError } from '../../core/mod.ts';

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const V6_TEXT_LENGTH_MAX = 45;

const notAnAddress = (text: string): ProtocolError =>
  new ProtocolError('ice.bad-address', `"${text.slice(0, V6_TEXT_LENGTH_MAX)}" is not an IPv4 or IPv6 address`);

function parseV4(text: string): Uint8Array | undefined {
  const parts = V4.exec(text)?.slice(1).map(Number);
  return parts === undefined || parts.some((part) => part > 255) ? undefined : Uint8Array.from(parts);
}

/** The 16-bit groups of one side of `::`; an IPv4 tail counts for two. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const pieces = text.split(':');
  for (const [index, piece] of pieces.entries()) {
    const v4 = index === pieces.length - 1 ? parseV4(piece) : undefined;
    if (v4 !== undefined) groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    else if (/^[0-9a-f]{1,4}$/i.test(piece)) groups.push(Number.parseInt(piece, 16));
    else return undefined;
  }
  return groups;
}

function parseV6(text: string): Uint8Array | undefined {
  if (text.length > V6_TEXT_LENGTH_MAX) return undefined;
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const head = parseGroups(sides[0] ?? '');
  const tail = sides.length === 2 ? parseGroups(sides[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 8 - head.length - tail.length;
  if (sides.length === 2 ? zeros < 1 : zeros !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: zeros }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Whether 16 bytes are an IPv4 address mapped into IPv6, `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2). */
const isMapped = (bytes: Uint8Array): boolean =>
  bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;

/** Text → 4 or 16 bytes, given; an IPv4-mapped IPv6 address becomes its IPv4 one. Throws `ice.bad-address`. */
export function parseIpAddress(text: string): Uint8Array {
  const bytes = text.includes(':') ? parseV6(text) : parseV4(text);
  if (bytes === undefined) throw notAnAddress(text);
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** Whether `text` is an IP address, not a name. */
export function isIpAddress(text: string): boolean {
  return (text.includes(':') ? parseV6(text) : parseV4(text)) !== undefined;
}

/** 4 or 16 borrowed bytes → text; IPv6 as RFC 5952 §4 writes it, IPv4-mapped as IPv4. */
export function formatIpAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16));
  const text = groups.join(':');
  // The longest run of at least two zero groups, the first of equals, is what `::` stands for.
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)].sort((left, right) => right[0].length - left[0].length);
  const run = runs[0];
  if (run === undefined) return text;
  return `${text.slice(0, Math.max(run.index - 1, 0))}::${text.slice(run.index + run[0].length + 1)}`;
}
