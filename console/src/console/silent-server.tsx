import { useLocation } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { NodeResource, SessionResource } from '../../../src/api/console-contract.ts';
import { useNodeName } from './node-names.ts';
import { otherNodes } from './other-nodes.ts';

const SHOWN_MAX = 12;

/** Says that the node which serves the page is silent, and where else the console is. What the page shows stays, as it was. */
export function SilentServer({
  session: { server },
  nodes,
  sinceMs,
}: {
  readonly session: SessionResource;
  /** As they were known before. */
  readonly nodes: readonly NodeResource[];
  readonly sinceMs: number;
}): JSX.Element {
  const { pathname, searchStr } = useLocation();
  const nodeName = useNodeName();
  const others = otherNodes(nodes, server.node);
  return (
    <div className="notice bad silent" role="alert">
      <p>
        <b>Node {nodeName(server.node)} does not answer.</b> What is below is as it was at {new Date(sinceMs).toLocaleTimeString('en-GB')}.
        This page tries again by itself.
      </p>
      {others.length > 0 && (
        <>
          <p>Every node has this console:</p>
          <ul className="other-nodes">
            {others.slice(0, SHOWN_MAX).map(({ id, region, endpoints }) => (
              <li key={id}>
                <a href={new URL(pathname + searchStr, endpoints.http).href}>{nodeName(id)}</a>
                <span className="note"> {region}</span>
              </li>
            ))}
          </ul>
          <p className="note">Under another host name you have to sign in again.</p>
        </>
      )}
    </div>
  );
}
