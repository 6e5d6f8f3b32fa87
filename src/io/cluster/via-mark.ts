const NAME = 'via';
/** Nodes in one mark; a client that went through so many is sent nowhere else. */
const NODES_MAX = 8;
/** For so long a node knows a client again that it has sent on. By its own clock alone, so that clocks that differ do no harm. */
const FRESH_S = 30;
const ENTRY = /^([A-Za-z0-9_.-]{1,64})\.([0-9]{1,12})$/;

interface Entry {
  readonly node: string;
  readonly atS: number;
}

/**
 * Whether a client is to be sent on no more: by what its query says, this node did so a moment ago, or as many nodes did as may. A node sends a client on
 * only if it has not done so in the last half minute, so a chain of redirects passes each node once and ends.
 */
export function isSettled(query: string, node: string, wallMs: number): boolean {
  const entries = entriesOf(query);
  const own = entries.find((entry) => entry.node === node);
  // In the future: this clock was put back, or somebody made the mark up.
  if (own !== undefined) return Math.abs(wallMs / 1000 - own.atS) <= FRESH_S;
  return entries.length >= NODES_MAX;
}

/** The query with this node's mark at its end, and all else as it was. */
export function withVia(query: string, node: string, wallMs: number): string {
  const entries = [...entriesOf(query).filter((entry) => entry.node !== node), { node, atS: Math.floor(wallMs / 1000) }];
  const mark = `${NAME}=${entries.map((entry) => `${entry.node}.${entry.atS}`).join(',')}`;
  return [...pairsOf(query).filter((pair) => !isMark(pair)), mark].join('&');
}

const pairsOf = (query: string): readonly string[] => query.split('&').filter((pair) => pair !== '');
const isMark = (pair: string): boolean => pair.startsWith(`${NAME}=`);

function entriesOf(query: string): readonly Entry[] {
  if (!query.includes(`${NAME}=`)) return [];
  const mark = pairsOf(query).find(isMark) ?? '';
  return mark
    .slice(NAME.length + 1)
    .split(/,|%2C/i, NODES_MAX)
    .flatMap((text) => {
      const [, node, seconds] = ENTRY.exec(text) ?? [];
      return node === undefined ? [] : [{ node, atS: Number(seconds) }];
    });
}
