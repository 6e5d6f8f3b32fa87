import { type JSX, useId, useState } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { ConfirmDialog } from './dialogs.tsx';
import { whoIsLeft } from './node-figures.ts';
import { useChangeNode, useRemoveNode } from './queries.ts';

/** Ways to spend the drain's time, in seconds; `''` is as long as it takes. */
const DEADLINES: readonly (readonly [seconds: string, words: string])[] = [
  ['', 'as long as it takes'],
  ['60', '1 minute'],
  ['300', '5 minutes'],
  ['900', '15 minutes'],
  ['3600', '1 hour'],
];

/** What may be done with a node as it stands. */
export function NodeActions({ node }: { readonly node: NodeResource }): JSX.Element {
  const [asked, setAsked] = useState<'drain' | 'disable' | 'remove'>();
  const change = useChangeNode();
  const { id, status } = node;
  return (
    <div className="node-actions">
      {status === 'active' && !node.stale && (
        <button type="button" className="button" aria-label={`Drain ${id}`} onClick={() => setAsked('drain')}>
          Drain …
        </button>
      )}
      {status !== 'active' && (
        <button
          type="button"
          className="button"
          aria-label={`Activate ${id}`}
          disabled={change.isPending}
          onClick={() => change.mutate({ id, status: 'active' })}
        >
          Activate
        </button>
      )}
      {status !== 'disabled' && (
        <button type="button" className="button" aria-label={`Disable ${id}`} onClick={() => setAsked('disable')}>
          Disable …
        </button>
      )}
      <button type="button" className="button danger-text" aria-label={`Remove ${id}`} onClick={() => setAsked('remove')}>
        Remove …
      </button>
      {change.error !== null && (
        <p className="notice bad" role="alert">
          {change.error.message}
        </p>
      )}
      {asked === 'drain' && <DrainDialog node={node} onClose={() => setAsked(undefined)} />}
      {asked === 'disable' && <DisableDialog node={node} onClose={() => setAsked(undefined)} />}
      {asked === 'remove' && <RemoveDialog node={node} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

function DrainDialog({ node, onClose }: { readonly node: NodeResource; readonly onClose: () => void }): JSX.Element {
  const [deadline, setDeadline] = useState('300');
  const id = useId();
  const wish = { id: node.id, status: 'draining' as const, ...(deadline === '' ? {} : { deadlineS: Number(deadline) }) };
  return (
    <ConfirmDialog title={`Drain ${node.id}?`} action="Drain" change={useChangeNode()} wish={wish} onClose={onClose}>
      <p>
        Now on it: <b>{whoIsLeft(node)}</b>. It takes nothing new, and moves everybody to other nodes. With a deadline, what is left then is
        closed and its process ends.
      </p>
      <p className="field-row">
        <label htmlFor={id}>It may take</label>
        <select id={id} value={deadline} onChange={(event) => setDeadline(event.target.value)}>
          {DEADLINES.map(([seconds, words]) => (
            <option key={seconds} value={seconds}>
              {words}
            </option>
          ))}
        </select>
      </p>
    </ConfirmDialog>
  );
}

function DisableDialog({ node, onClose }: { readonly node: NodeResource; readonly onClose: () => void }): JSX.Element {
  return (
    <ConfirmDialog
      title={`Disable ${node.id}?`}
      action="Disable"
      change={useChangeNode()}
      wish={{ id: node.id, status: 'disabled' as const }}
      onClose={onClose}
    >
      <p>
        Now on it: <b>{whoIsLeft(node)}</b>. It takes nobody new, also after a restart, until it is activated. To move those who are on it
        to other nodes first, drain it.
      </p>
    </ConfirmDialog>
  );
}

function RemoveDialog({ node, onClose }: { readonly node: NodeResource; readonly onClose: () => void }): JSX.Element {
  const left = whoIsLeft(node);
  return (
    <ConfirmDialog title={`Remove ${node.id}?`} action="Remove for good" change={useRemoveNode()} wish={node.id} onClose={onClose}>
      <p>
        {left === 'nobody' || node.stale ? (
          'Its'
        ) : (
          <>
            <b>{left}</b> lose it at once: drain it first. Its
          </>
        )}{' '}
        certificate is revoked. To join again it needs a new data folder and a token.
      </p>
    </ConfirmDialog>
  );
}
