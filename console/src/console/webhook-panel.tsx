import { type JSX, useState } from 'react';
import type { NewWebhookResource, WebhookResource, WebhookTestResource } from '../../../src/api/webhook-contract.ts';
import { ConfirmDialog, FormDialog } from './dialogs.tsx';
import { PanelHead, SelectField } from './forms.tsx';
import { Standing } from './parts.tsx';
import { useMayChange } from './session-context.ts';
import { formatTime, GRACES } from './spans.ts';
import { DeadLetters, Deliveries } from './webhook-log.tsx';
import { useChangeWebhook, useDeleteWebhook, useRotateWebhook, useTestWebhook } from './webhook-queries.ts';

interface WebhookPanelProps {
  readonly app: string;
  readonly hook: WebhookResource;
  /** Gets the hook with its new secret. */
  readonly rotated: (hook: NewWebhookResource) => void;
}

/** One webhook: what it is for, what may be done with it, and what was sent to it. */
export function WebhookPanel({ app, hook, rotated }: WebhookPanelProps): JSX.Element {
  const { id, url, note, enabled, oldSecretUntil, problem } = hook;
  return (
    <section className="panel" aria-labelledby={`hook-${id}`}>
      <PanelHead id={`hook-${id}`} title={note === '' ? url : note}>
        <span className={`badge ${enabled ? 'active' : ''}`}>{enabled ? 'on' : 'off'}</span>
      </PanelHead>
      <p className="id">{url}</p>
      <p className="note">{purposeOf(hook)}</p>
      {problem !== undefined && <p className="notice bad">Not in use at this node: {problem}.</p>}
      {oldSecretUntil !== undefined && Date.parse(oldSecretUntil) > Date.now() && (
        <p className="note">Signed with the old secret, too, until {formatTime(oldSecretUntil)}.</p>
      )}
      {useMayChange() && <Actions app={app} hook={hook} rotated={rotated} />}
      <Deliveries app={app} id={id} />
      {hook.kind === 'events' && <DeadLetters app={app} id={id} />}
    </section>
  );
}

function purposeOf({ admission, events }: WebhookResource): string {
  if (admission !== undefined) {
    const down = admission.whenDown === 'allow' ? 'everybody is let in' : 'nobody is let in';
    return `Asked who may ${admission.for.join(' and ')}; it has ${admission.timeoutMs} ms. When it does not answer, ${down}.`;
  }
  return `Told of ${events?.types.join(', ') ?? 'nothing'}.`;
}

function Actions({ app, hook: { id, enabled }, rotated }: WebhookPanelProps): JSX.Element {
  const [asked, setAsked] = useState<'rotate' | 'delete'>();
  const change = useChangeWebhook(app, id);
  const test = useTestWebhook(app, id);
  const close = (): void => setAsked(undefined);
  return (
    <>
      <div className="form-buttons hook-actions">
        <button type="button" className="button" disabled={test.isPending} onClick={() => test.mutate()}>
          {test.isPending ? 'Sending …' : 'Send a test'}
        </button>
        <button type="button" className="button" disabled={change.isPending} onClick={() => change.mutate({ enabled: !enabled })}>
          {enabled ? 'Turn off' : 'Turn on'}
        </button>
        <button type="button" className="button" onClick={() => setAsked('rotate')}>
          Rotate the secret …
        </button>
        <button type="button" className="button danger-text" onClick={() => setAsked('delete')}>
          Delete …
        </button>
      </div>
      <Standing problem={change.error ?? test.error} isLoading={false} />
      {test.data && <TestResult result={test.data} />}
      {asked === 'rotate' && <Rotate app={app} id={id} rotated={rotated} onClose={close} />}
      {asked === 'delete' && <Delete app={app} id={id} onClose={close} />}
    </>
  );
}

function TestResult({
  result: { ok, durationMs, httpStatus, verdict, detail, body },
}: {
  readonly result: WebhookTestResource;
}): JSX.Element {
  const parts = [
    ok ? 'The test came through' : 'The test failed',
    ...(httpStatus === undefined ? ['no answer'] : [`status ${httpStatus}`]),
    `${Math.round(durationMs)} ms`,
    ...(verdict === undefined ? [] : [verdict]),
    ...(detail === undefined ? [] : [detail]),
  ];
  return (
    <div className={`notice ${ok ? '' : 'bad'}`} role="status">
      {parts.join(' · ')}
      {body !== undefined && body !== '' && <pre className="code">{body}</pre>}
    </div>
  );
}

function Rotate({
  app,
  id,
  rotated,
  onClose,
}: {
  readonly app: string;
  readonly id: string;
  readonly rotated: (hook: NewWebhookResource) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const [grace, setGrace] = useState('3600');
  return (
    <FormDialog
      title="Rotate the secret?"
      action="Rotate"
      change={useRotateWebhook(app, id)}
      wish={Number(grace)}
      onClose={onClose}
      onDone={(hook) => {
        onClose();
        rotated(hook);
      }}
    >
      <p>It gets a new secret, which is shown once. For a while, what is sent is signed with both.</p>
      <SelectField label="Signed with the old one, too, for" value={grace} onChange={setGrace} choices={GRACES} />
    </FormDialog>
  );
}

function Delete({ app, id, onClose }: { readonly app: string; readonly id: string; readonly onClose: () => void }): JSX.Element {
  return (
    <ConfirmDialog
      title="Delete the webhook?"
      action="Delete the webhook"
      change={useDeleteWebhook(app, id)}
      wish={undefined}
      onClose={onClose}
    >
      <p>What waits to be sent to it, and its dead letters, go with it.</p>
    </ConfirmDialog>
  );
}
