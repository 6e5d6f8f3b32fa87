import type { JSX, ReactNode } from 'react';
import type { NodeTranscodingResource } from '../../../src/api/console-contract.ts';
import { UNKNOWN } from '../figures/figures.ts';
import { shareOf } from './node-figures.ts';
import { Meter } from './parts.tsx';
import { StackTable } from './stack-table.tsx';
import { StreamLink } from './stream-link.tsx';

/** What a node makes of streams, within which limit, and why. */
export function NodeTranscoding({
  of: { node, transcoding },
  title,
}: {
  readonly of: NodeTranscodingResource;
  readonly title: ReactNode;
}): JSX.Element {
  const { tasksMax, tasksRunning, encoders, decisions, streams } = transcoding;
  const usable = encoders.filter(({ available }) => available).map(({ name }) => name);
  return (
    <section className="panel" aria-labelledby={`node-${node}`}>
      <h2 id={`node-${node}`}>{title}</h2>
      {tasksMax === 0 && streams.length === 0 ? (
        <p className="note">Transcoding is off on this node.</p>
      ) : (
        <>
          <div className="meters one">
            <Meter label="Tasks" share={shareOf(tasksRunning, tasksMax)} words={`${tasksRunning} of ${tasksMax} run`} />
          </div>
          <p className="note">Encoders: {usable.length === 0 ? 'none' : usable.join(', ')}</p>
          <Tasks node={node} streams={streams} decisions={decisions} />
          <Decisions node={node} decisions={decisions} />
        </>
      )}
    </section>
  );
}

function Tasks({
  node,
  streams,
  decisions,
}: Pick<NodeTranscodingResource, 'node'> & Pick<NodeTranscodingResource['transcoding'], 'streams' | 'decisions'>): JSX.Element {
  const reasons = new Map(decisions.map(({ stream, rung, message, reason }) => [`${stream} ${rung}`, message ?? reason]));
  const rows = streams.flatMap((stream) => stream.rungs.map((rung) => ({ ...stream, rung })));
  if (rows.length === 0) return <p className="note">No stream here has a ladder to make.</p>;
  return (
    <StackTable label={`Renditions on ${node}`} heads={['Stream', 'Rendition', 'State', 'Why', 'CPU, restarts']}>
      {rows.map(({ stream, rung, cpuSeconds, restarts, lastFailure }) => (
        <tr key={`${stream} ${rung.name}`}>
          <td>
            <StreamLink path={stream} />
          </td>
          <td data-label="Rendition">{rung.name}</td>
          <td data-label="State">
            <span className={`state ${rung.state}`}>{rung.state}</span>
            {rung.reason !== undefined && <span className="note block">{rung.reason}</span>}
          </td>
          <td data-label="Why">{reasons.get(`${stream} ${rung.name}`) ?? UNKNOWN}</td>
          <td data-label="CPU, restarts">
            {`${cpuSeconds.toFixed(0)} s, ${restarts}`}
            {lastFailure !== undefined && <span className="note block">{lastFailure}</span>}
          </td>
        </tr>
      ))}
    </StackTable>
  );
}

function Decisions({
  node,
  decisions,
}: Pick<NodeTranscodingResource, 'node'> & Pick<NodeTranscodingResource['transcoding'], 'decisions'>): JSX.Element | null {
  if (decisions.length === 0) return null;
  return (
    <>
      <h3>Decisions</h3>
      <StackTable label={`Decisions of ${node}`} heads={['Stream', 'Rendition', 'Decision', 'Reason']}>
        {decisions.map(({ stream, rung, isAssigned, reason, message }) => (
          <tr key={`${stream} ${rung}`}>
            <td>
              <StreamLink path={stream} />
            </td>
            <td data-label="Rendition">{rung}</td>
            <td>{isAssigned ? 'is made' : 'is not made'}</td>
            <td data-label="Reason">{message ?? reason}</td>
          </tr>
        ))}
      </StackTable>
    </>
  );
}
