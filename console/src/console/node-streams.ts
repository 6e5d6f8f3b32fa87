import type { NodeResource, RelayResource, StreamResource } from '../../../src/api/console-contract.ts';

/** What a node is to a stream. `transcoder`: it pulls the stream to make renditions of it, and serves nobody. */
export type NodePart = 'origin' | 'regional origin' | 'edge' | 'transcoder';

/** One step of a stream to or from the node, with within which time half of the frames came over it; undefined before there is a figure. */
export interface NodeHop {
  readonly node: string;
  readonly p50Ms: number | undefined;
}

/** A stream that a node has. */
export interface NodeStream {
  readonly path: string;
  readonly part: NodePart;
  /** From where it comes; undefined at the origin. */
  readonly from: NodeHop | undefined;
  /** To which nodes it goes on. */
  readonly to: readonly NodeHop[];
}

/** The streams that `node` has: those of which it is the origin first. Of a relay with very many streams, only the first are known. */
export function streamsOfNode(
  node: Pick<NodeResource, 'id' | 'region' | 'roles'>,
  published: readonly Pick<StreamResource, 'path'>[],
  relays: readonly RelayResource[],
  regionOf: (node: string) => string | undefined,
): readonly NodeStream[] {
  const { id } = node;
  const to = (path: string): readonly NodeHop[] =>
    relays.filter(({ from, streams }) => from === id && streams.includes(path)).map((relay) => ({ node: relay.to, p50Ms: relay.p50Ms }));
  const pulled = relays
    .filter((relay) => relay.to === id)
    .flatMap(({ from, streams, p50Ms }) =>
      streams.map((path): NodeStream => ({ path, part: partOf(node, regionOf(from)), from: { node: from, p50Ms }, to: to(path) })),
    );
  return [...published.map(({ path }): NodeStream => ({ path, part: 'origin', from: undefined, to: to(path) })), ...pulled];
}

/** Into a region a stream comes once: whoever pulls it from another region is its origin there. */
function partOf({ region, roles }: Pick<NodeResource, 'region' | 'roles'>, from: string | undefined): NodePart {
  if (from !== undefined && from !== region) return 'regional origin';
  return roles.every((role) => role === 'transcode' || role === 'manager') ? 'transcoder' : 'edge';
}
