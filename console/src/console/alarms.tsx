import type { JSX } from 'react';
import type { AlarmResource } from '../../../src/api/console-contract.ts';
import { NodeLink } from './node-link.tsx';
import { StreamLink } from './stream-link.tsx';

/** What an operator should look at. */
export function Alarms({ alarms }: { readonly alarms: readonly AlarmResource[] }): JSX.Element {
  return (
    <section className="panel" aria-labelledby="alarms-title">
      <h2 id="alarms-title">Alarms</h2>
      <div role="status">
        {alarms.length === 0 ? (
          <p className="note good">No alarms.</p>
        ) : (
          <ul className="alarms">
            {alarms.map((alarm) => (
              <AlarmRow key={`${alarm.kind} ${alarm.node} ${alarm.stream ?? ''} ${alarm.message}`} alarm={alarm} />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

const KINDS: Readonly<Record<AlarmResource['kind'], string>> = {
  'node-stale': 'Node is stale',
  'node-cut-off': 'Node is cut off',
  'origin-dead': 'Stream without origin',
  'rung-failed': 'Rendition failed',
  'rung-refused': 'Rendition refused',
  'target-failing': 'Target fails',
  'source-failing': 'Pull source fails',
  'recording-failing': 'Not recorded',
};

function AlarmRow({ alarm: { kind, severity, node, stream, message } }: { readonly alarm: AlarmResource }): JSX.Element {
  return (
    <li className={severity}>
      <span className={`badge ${severity === 'serious' ? 'stale' : 'draining'}`}>{KINDS[kind]}</span>
      <span className="alarm-where">{stream === undefined ? <NodeLink id={node} /> : <StreamLink path={stream} />}</span>
      <span>{message}</span>
    </li>
  );
}
