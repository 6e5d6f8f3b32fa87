import type { JSX } from 'react';
import type { NodeTranscodingResource } from '../../../src/api/console-contract.ts';
import { Allocation } from './allocation.tsx';
import { shareOf } from './node-figures.ts';
import { Meter, PageTitle, Scrolled, Standing } from './parts.tsx';
import { useTranscoding } from './queries.ts';
import { useIsInCluster } from './session-context.ts';
import { StreamLink } from './stream-link.tsx';

/** What each node makes of streams, within which limit, and why. */
export function TranscodingPage(): JSX.Element {
  const { data, error, isPending } = useTranscoding();
  return (
    <>
      <PageTitle title="Transcoding" />
      {useIsInCluster() && <Allocation />}
      <Standing problem={error} isLoading={isPending} />
      {data?.items.map((item) => (
        <NodeTranscoding key={item.node} item={item} />
      ))}
    </>
  );
}

function NodeTranscoding({ item: { node, transcoding } }: { readonly item: NodeTranscodingResource }): JSX.Element {
  const { tasksMax, tasksRunning, encoders, decisions, streams } = transcoding;
  const usable = encoders.filter(({ available }) => available).map(({ name }) => name);
  return (
    <section className="panel" aria-labelledby={`node-${node}`}>
      <h2 id={`node-${node}`}>{node}</h2>
      {tasksMax === 0 && streams.length === 0 ? (
        <p className="note">Transcoding is off on this node.</p>
      ) : (
        <>
          <div className="meters one">
            <Meter label="Tasks" share={shareOf(tasksRunning, tasksMax)} words={`${tasksRunning} of ${tasksMax} run`} />
          </div>
          <p className="note">Encoders: {usable.length === 0 ? 'none' : usable.join(', ')}</p>
          <Children streams={streams} />
          <Decisions decisions={decisions} />
        </>
      )}
    </section>
  );
}

function Children({ streams }: Pick<NodeTranscodingResource['transcoding'], 'streams'>): JSX.Element {
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
