/** A node that pulls a stream from this one. */
export interface FanOutChild {
  readonly node: string;
  /** Measured on the connection; undefined before the first answer. */
  readonly rttMs: number | undefined;
}

/** How many nodes are named to one that is sent on: the first that it can use is taken. */
const NAMED_MAX = 3;
/** A child whose round trip is not known yet counts as this far away. */
const RTT_MS_UNKNOWN = 50;
/** What a node costs that was sent on to a child, beside the way there: so many milliseconds of round trip. */
const SENT_COST_MS = 2;

/**
 * How a stream's relay becomes a tree: a node that has as many of its region below it as it may sends the next one on to one of them, which does the
 * same. The nearest comes first, by what was measured, and those to which others were sent already come later.
 */
export class FanOut {
  private readonly childrenMax: number;
  /** By stream: how many were sent on to each child. */
  private readonly sent = new Map<string, Map<string, number>>();

  constructor(childrenMax: number) {
    this.childrenMax = childrenMax;
  }

  /** Streams of which something is kept. */
  get size(): number {
    return this.sent.size;
  }

  /**
   * Where `puller` is sent on to, best first; undefined: it is served here. `children`: those of this node's region that pull the stream from here and
   * can give it on.
   */
  sendOn(name: string, puller: string, children: readonly FanOutChild[]): readonly string[] | undefined {
    if (children.length < this.childrenMax) {
      this.sent.delete(name);
      return undefined;
    }
    // It has its place already, and asks again after a break that this node has not noticed.
    if (children.some(({ node }) => node === puller)) return undefined;
    const before = this.sent.get(name);
    const sent = new Map(children.map(({ node }) => [node, before?.get(node) ?? 0]));
    const cost = ({ node, rttMs = RTT_MS_UNKNOWN }: FanOutChild): number => rttMs + SENT_COST_MS * (sent.get(node) ?? 0);
    const named = children
      .toSorted((left, right) => cost(left) - cost(right) || (left.node < right.node ? -1 : 1))
      .slice(0, NAMED_MAX)
      .map(({ node }) => node);
    const [first] = named;
    if (first !== undefined) sent.set(first, (sent.get(first) ?? 0) + 1);
    this.sent.set(name, sent);
    return named;
  }

  /** The stream is not here any more. */
  forget(name: string): void {
    this.sent.delete(name);
  }
}
