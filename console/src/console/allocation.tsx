import type { JSX } from 'react';
import type { AllocationDecisionResource, TranscodingPoolResource } from '../../../src/api/allocation-contract.ts';
import { useAllocationDecisions, usePool } from './allocation-queries.ts';
import './forms.css';
import { shareOf } from './node-figures.ts';
import { NodeLink } from './node-link.tsx';
import { Meter, Standing } from './parts.tsx';
import { formatTime } from './spans.ts';
import { StackTable } from './stack-table.tsx';
import { StreamLink } from './stream-link.tsx';
import { TranscodingWeights } from './transcoding-weights.tsx';

const SHOWN_MAX = 100;

/** How the cluster's transcoding is allocated: who has how much of it, what comes first, and what was decided why. */
export function Allocation(): JSX.Element {
  const pool = usePool();
  const decisions = useAllocationDecisions();
  return (
    <>
      <section className="panel" aria-labelledby="pool-title">
        <h2 id="pool-title">The cluster’s transcode nodes</h2>
        <Standing problem={pool.error} isLoading={pool.isPending} />
        {pool.data && <Pool pool={pool.data} />}
      </section>
      <TranscodingWeights />
      <section className="panel" aria-labelledby="allocation-title">
        <h2 id="allocation-title">What was decided</h2>
        <Standing problem={decisions.error} isLoading={decisions.isPending} />
        {decisions.data && <DecisionTable decisions={decisions.data.items} />}
      </section>
    </>
  );
}

function Pool({ pool: { allocator, nodes, waiting } }: { readonly pool: TranscodingPoolResource }): JSX.Element {
  return (
    <>
      <p className="note">
        {allocator === undefined ? (
          'No manager allocates now: origins place their rungs themselves.'
        ) : (
          <>
            <NodeLink id={allocator} /> allocates.
          </>
        )}{' '}
        {waiting === 0 ? 'All that is wanted is made.' : `${waiting} wanted, and not made.`}
      </p>
      {nodes.length === 0 ? (
        <p className="note">There is no transcode node.</p>
      ) : (
        <div className="meters pool">
          {nodes.map(({ node, state, tasks, tasksMax }) => (
            <Meter
              key={node}
              label={<NodeLink id={node} />}
              share={shareOf(tasks, tasksMax)}
              words={`${tasks} of ${tasksMax}${state === 'active' ? '' : `, ${state}`}`}
            />
          ))}
        </div>
      )}
    </>
  );
}

/** What was decided about rungs, the newest first. */
export function DecisionTable({ decisions }: { readonly decisions: readonly AllocationDecisionResource[] }): JSX.Element {
  if (decisions.length === 0) return <p className="note">Nothing, since the node that answers began.</p>;
  return (
    <StackTable label="What was decided, one a row" heads={['When', 'Stream', 'Rung', 'Made by', 'Viewers, score', 'Reason']}>
      {decisions.slice(0, SHOWN_MAX).map(({ at, stream, rung, node, viewers, score, reason, message }) => (
        <tr key={`${at} ${stream} ${rung}`}>
          <td>{formatTime(at)}</td>
          <td>
            <StreamLink path={stream} />
          </td>
          <td>{rung}</td>
          <td data-label="Made by">{node === undefined ? 'nobody' : <NodeLink id={node} />}</td>
          <td data-label="Viewers, score">{`${viewers}, ${Math.round(score * 10) / 10}`}</td>
          <td>
            {reason}
            <span className="note block">{message}</span>
          </td>
        </tr>
      ))}
    </StackTable>
  );
}
