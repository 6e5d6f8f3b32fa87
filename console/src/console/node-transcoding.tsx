import type { JSX, ReactNode } from 'react';
import type { NodeTranscodingResource } from '../../../src/api/console-contract.ts';
import { UNKNOWN } from '../figures/figures.ts';
import { shareOf } from './node-figures.ts';
import { Meter, Scrolled } from './parts.tsx';
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
          <Tasks streams={streams} decisions={decisions} />
          <Decisions decisions={decisions} />
        </>
      )}
    </section>
  );
}

function Tasks({ streams, decisions }: Pick<NodeTranscodingResource['transcoding'], 'streams' | 'decisions'>): JSX.Element {
  const reasons = new Map(decisions.map(({ stream, rung, message, reason }) => [`${stream} ${rung}`, message ?? reason]));
  const rows = streams.flatMap((stream) => stream.rungs.map((rung) => ({ ...stream, rung })));
  if (rows.length === 0) return <p className="note">No stream here has a ladder to make.</p>;
  return (
    <Scrolled label="Renditions on this node">
      <table>
        <thead>
          <tr>
            <th scope="col">Stream</th>
            <th scope="col">Rendition</th>
            <th scope="col">State</th>
            <th scope="col">Why</th>
            <th scope="col">CPU, restarts</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ stream, rung, cpuSeconds, restarts, lastFailure }) => (
            <tr key={`${stream} ${rung.name}`}>
              <td>
                <StreamLink path={stream} />
              </td>
              <td>{rung.name}</td>
              <td>
                <span className={`state ${rung.state}`}>{rung.state}</span>
                {rung.reason !== undefined && <span className="note block">{rung.reason}</span>}
              </td>
              <td>{reasons.get(`${stream} ${rung.name}`) ?? UNKNOWN}</td>
              <td>
                {`${cpuSeconds.toFixed(0)} s, ${restarts}`}
                {lastFailure !== undefined && <span className="note block">{lastFailure}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function Decisions({ decisions }: Pick<NodeTranscodingResource['transcoding'], 'decisions'>): JSX.Element | null {
  if (decisions.length === 0) return null;
  return (
    <>
      <h3>Decisions</h3>
      <Scrolled label="Decisions">
        <table>
          <thead>
            <tr>
              <th scope="col">Stream</th>
              <th scope="col">Rendition</th>
              <th scope="col">Decision</th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {decisions.map(({ stream, rung, isAssigned, reason, message }) => (
              <tr key={`${stream} ${rung}`}>
                <td>
                  <StreamLink path={stream} />
                </td>
                <td>{rung}</td>
                <td>{isAssigned ? 'is made' : 'is not made'}</td>
                <td>{message ?? reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </>
  );
}
