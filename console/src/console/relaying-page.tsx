import type { JSX } from 'react';
import type { NodeSourcesList, NodeTargetsList } from '../../../src/api/console-contract.ts';
import { formatUptime } from '../figures/figures.ts';
import { formatBytes } from './node-figures.ts';
import { NodeLink } from './node-link.tsx';
import { PageTitle, Standing } from './parts.tsx';
import { useSources, useTargets } from './queries.ts';
import { StackTable } from './stack-table.tsx';
import { StreamLink } from './stream-link.tsx';

/** Where streams are pulled from and pushed to, and how that stands. */
export function RelayingPage(): JSX.Element {
  const sources = useSources();
  const targets = useTargets();
  return (
    <>
      <PageTitle title="Sources and targets" />
      <section className="panel" aria-labelledby="sources-title">
        <h2 id="sources-title">Pull sources</h2>
        <Standing problem={sources.error} isLoading={sources.isPending} />
        {sources.data && <Sources list={sources.data} />}
      </section>
      <section className="panel" aria-labelledby="targets-title">
        <h2 id="targets-title">Push targets</h2>
        <Standing problem={targets.error} isLoading={targets.isPending} />
        {targets.data && <Targets list={targets.data} />}
      </section>
    </>
  );
}

function Sources({ list }: { readonly list: NodeSourcesList }): JSX.Element {
  const rows = list.items.flatMap(({ node, items }) => items.map((source) => ({ node, source })));
  if (rows.length === 0)
    return (
      <p className="note">
        None. Cameras and other servers are named under <code>apps.NAME.sources</code> of the configuration.
      </p>
    );
  return (
    <StackTable label="Pull sources, one a row" heads={['Stream', 'From', 'State', 'Node']}>
      {rows.map(({ node, source: { stream, url, mode, state, since, lastError } }) => (
        <tr key={`${node} ${stream}`}>
          <td>
            <StreamLink path={stream} />
          </td>
          <td className="address" data-label="From">
            {url}
          </td>
          <td data-label="State">
            <span className={`state ${state}`}>{state}</span>
            <span className="note block">{[mode, `for ${formatUptime(Date.now() - Date.parse(since))}`].join(' · ')}</span>
            {lastError !== undefined && state !== 'running' && <span className="note block">{lastError.message}</span>}
          </td>
          <td data-label="Node">
            <NodeLink id={node} />
          </td>
        </tr>
      ))}
    </StackTable>
  );
}

function Targets({ list }: { readonly list: NodeTargetsList }): JSX.Element {
  const rows = list.items.flatMap(({ node, items }) => items.map((target) => ({ node, target })));
  if (rows.length === 0)
    return (
      <p className="note">
        None. Streams are pushed to what <code>apps.NAME.targets</code> of the configuration names, and to what the API adds.
      </p>
    );
  return (
    <StackTable label="Push targets, one a row" heads={['Stream', 'Target', 'To', 'State', 'Sent', 'Node']}>
      {rows.map(
        ({ node, target: { stream, name, protocol, url, rendition, state, stateSeconds, reason, nextAttemptInSeconds, bytesSent } }) => (
          <tr key={`${node} ${stream} ${name}`}>
            <td>
              <StreamLink path={stream} />
            </td>
            <td data-label="Target">
              {name}
              <span className="note block">{[protocol.toUpperCase(), rendition].join(' · ')}</span>
            </td>
            <td className="address" data-label="To">
              {url}
            </td>
            <td data-label="State">
              <span className={`state ${state}`}>{state}</span>
              <span className="note block">for {formatUptime(stateSeconds * 1000)}</span>
              {reason !== undefined && <span className="note block">{reason.message}</span>}
              {nextAttemptInSeconds !== undefined && <span className="note block">next attempt in {nextAttemptInSeconds} s</span>}
            </td>
            <td data-label="Sent">{formatBytes(bytesSent)}</td>
            <td data-label="Node">
              <NodeLink id={node} />
            </td>
          </tr>
        ),
      )}
    </StackTable>
  );
}
