import type { JSX } from 'react';
import type { NodeResource, RelayResource, StreamPage } from '../../../src/api/console-contract.ts';
import { formatHop } from '../figures/figures.ts';
import { NodeLink } from './node-link.tsx';
import { type NodeHop, streamsOfNode } from './node-streams.ts';
import { StackTable } from './stack-table.tsx';
import { StreamLink } from './stream-link.tsx';

interface NodeStreamsProps {
  readonly node: NodeResource;
  /** Those that it is the origin of. */
  readonly published: StreamPage;
  readonly relays: readonly RelayResource[];
  readonly nodes: readonly NodeResource[];
}

/** The streams that a node has: what it is to each, from where it comes and where it goes on, with the latency of each step. */
export function NodeStreams({ node, published, relays, nodes }: NodeStreamsProps): JSX.Element {
  const regions = new Map(nodes.map(({ id, region }) => [id, region]));
  const rows = streamsOfNode(node, published.items, relays, (id) => regions.get(id));
  return (
    <section className="panel" aria-labelledby="node-streams-title">
      <h2 id="node-streams-title">Streams</h2>
      {rows.length === 0 ? (
        <p className="note">It has no stream now.</p>
      ) : (
        <StackTable label="Streams of this node" heads={['Stream', 'The node is its', 'From', 'On to']}>
          {rows.map(({ path, part, from, to }) => (
            <tr key={`${path} ${part}`}>
              <th scope="row">
                <StreamLink path={path} />
              </th>
              <td data-label="The node is its">{part}</td>
              <td data-label="From">{from === undefined ? 'publisher' : <Hops hops={[from]} />}</td>
              <td data-label="On to">{to.length === 0 ? 'no node' : <Hops hops={to} />}</td>
            </tr>
          ))}
        </StackTable>
      )}
      {published.nextCursor !== undefined && <p className="note">It is the origin of more than these.</p>}
    </section>
  );
}

function Hops({ hops }: { readonly hops: readonly NodeHop[] }): JSX.Element {
  return (
    <>
      {hops.map(({ node, p50Ms }) => (
        <span key={node} className="block">
          <NodeLink id={node} />
          {p50Ms !== undefined && <span className="note"> {formatHop(p50Ms)}</span>}
        </span>
      ))}
    </>
  );
}
