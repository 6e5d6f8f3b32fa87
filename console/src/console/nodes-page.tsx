import { useNavigate, useSearch } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { NodeActions } from './node-actions.tsx';
import { selectNodes, standingOf } from './node-figures.ts';
import { NodeLink } from './node-link.tsx';
import { NodeLoad, NodeNotice } from './node-load.tsx';
import { useNodeName } from './node-names.ts';
import { AloneNotice, PageTitle, Standing } from './parts.tsx';
import { useNodes } from './queries.ts';
import { useIsInCluster, useMayChange } from './session-context.ts';

/** The nodes of the cluster: how busy each is, and what to do with it. */
export function NodesPage(): JSX.Element {
  return useIsInCluster() ? (
    <NodesOfCluster />
  ) : (
    <>
      <PageTitle title="Nodes" />
      <AloneNotice what="It takes streams in and serves them to everybody by itself. In a cluster, this page shows how busy each node is, and drains, activates and removes them." />
    </>
  );
}

function NodesOfCluster(): JSX.Element {
  const { data: nodes = [], error, isPending } = useNodes();
  const { find = '' } = useSearch({ from: '/console/nodes' });
  const navigate = useNavigate();
  const found = selectNodes(nodes, find);
  return (
    <>
      <PageTitle title="Nodes">
        <input
          className="search"
          type="search"
          placeholder="Name, id, region, role, status"
          aria-label="Search the nodes"
          value={find}
          onChange={({ target: { value } }) =>
            void navigate({ to: '/console/nodes', search: value === '' ? {} : { find: value }, replace: true })
          }
        />
      </PageTitle>
      <Standing problem={error} isLoading={isPending} />
      <p className="note" role="status">
        {!isPending && `${found.length} of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`}
      </p>
      <ul className="nodes">
        {found.map((node) => (
          <NodeCard key={node.id} node={node} />
        ))}
      </ul>
    </>
  );
}

function NodeCard({ node }: { readonly node: NodeResource }): JSX.Element {
  const standing = standingOf(node);
  const { id, region, roles, self, version, endpoints } = node;
  const isNamed = useNodeName()(id) !== id;
  return (
    <li className={`panel node ${standing}`}>
      <div className="node-head">
        <h2>
          <NodeLink id={id} />
        </h2>
        <span className={`badge ${standing}`}>{standing}</span>
      </div>
      <p className="note">
        {[region, roles.join(', '), ...(self ? ['this node'] : [])].join(' · ')}
        {isNamed && <span className="block id">{id}</span>}
        <span className="block">{`Sluice ${version} · ${endpoints.http}`}</span>
      </p>
      <NodeNotice node={node} />
      <NodeLoad node={node} />
      {useMayChange() && <NodeActions node={node} />}
    </li>
  );
}
