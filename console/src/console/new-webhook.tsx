import { type JSX, useState } from 'react';
import type { NewWebhookResource, WebhookEventName, WebhookWish } from '../../../src/api/webhook-contract.ts';
import { FormDialog } from './dialogs.tsx';
import { ChecksField, NoteField, SelectField, TextField } from './forms.tsx';
import { useCreateWebhook } from './webhook-queries.ts';

const TYPES: readonly WebhookEventName[] = [
  'stream.started',
  'stream.held',
  'stream.resumed',
  'stream.ended',
  'publisher.refused',
  'source.changed',
  'target.changed',
  'recording.started',
  'recording.ended',
  'recording.failed',
  'node.changed',
  'node.gone',
];
const KINDS = [
  ['events', 'told what happens'],
  ['admission', 'asked who may publish and play'],
] as const;
const ACTS = ['publish', 'play'] as const;
const RETRY_S = 86_400;

interface Draft {
  readonly kind: 'admission' | 'events';
  readonly url: string;
  readonly note: string;
  readonly types: readonly WebhookEventName[];
  readonly acts: readonly ('publish' | 'play')[];
  readonly timeoutMs: string;
  readonly whenDown: string;
  readonly cacheS: string;
}

const FIRST: Draft = {
  kind: 'events',
  url: '',
  note: '',
  types: ['stream.started', 'stream.ended'],
  acts: ['publish'],
  timeoutMs: '2000',
  whenDown: 'refuse',
  cacheS: '60',
};

function wishOf({ kind, url, note, types, acts, timeoutMs, whenDown, cacheS }: Draft): WebhookWish {
  const common = { kind, url, note, enabled: true };
  if (kind === 'events') return { ...common, events: { types: [...types], retryForS: RETRY_S } };
  const admission = { for: [...acts], timeoutMs: Number(timeoutMs), cacheS: Number(cacheS) };
  return { ...common, admission: { ...admission, whenDown: whenDown === 'allow' ? 'allow' : 'refuse' } };
}

interface PartProps {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
}

/** A form for a new webhook of an app. */
export function NewWebhook({
  app,
  made,
  onClose,
}: {
  readonly app: string;
  readonly made: (hook: NewWebhookResource) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const [draft, setDraft] = useState(FIRST);
  const change = (part: Partial<Draft>): void => setDraft((last) => ({ ...last, ...part }));
  const isEmpty = (draft.kind === 'events' ? draft.types : draft.acts).length === 0;
  return (
    <FormDialog
      title={`A webhook for ${app}`}
      action="Make the webhook"
      change={useCreateWebhook(app)}
      wish={wishOf(draft)}
      isReady={!isEmpty}
      onDone={made}
      onClose={onClose}
    >
      <SelectField
        label="It is"
        value={draft.kind}
        onChange={(kind) => change({ kind: kind === 'admission' ? 'admission' : 'events' })}
        choices={KINDS}
      />
      <TextField
        label="Address"
        type="url"
        value={draft.url}
        onChange={(url) => change({ url })}
        isRequired
        placeholder="https://example.org/hooks"
      />
      {draft.kind === 'events' ? <EventFields draft={draft} change={change} /> : <AdmissionFields draft={draft} change={change} />}
      <NoteField value={draft.note} onChange={(note) => change({ note })} />
    </FormDialog>
  );
}

const EventFields = ({ draft: { types }, change }: PartProps): JSX.Element => (
  <ChecksField label="Events" choices={TYPES} chosen={types} onChange={(chosen) => change({ types: chosen })} />
);

function AdmissionFields({ draft: { acts, timeoutMs, whenDown, cacheS }, change }: PartProps): JSX.Element {
  return (
    <>
      <ChecksField label="It is asked who may" choices={ACTS} chosen={acts} onChange={(chosen) => change({ acts: chosen })} />
      <div className="fields">
        <TextField
          label="It has to answer within, ms"
          type="number"
          value={timeoutMs}
          onChange={(value) => change({ timeoutMs: value })}
          isRequired
        />
        <TextField
          label="A viewer’s answer counts for, s"
          type="number"
          value={cacheS}
          onChange={(value) => change({ cacheS: value })}
          isRequired
        />
      </div>
      <SelectField
        label="When it does not answer"
        value={whenDown}
        onChange={(value) => change({ whenDown: value })}
        choices={[
          ['refuse', 'nobody is let in'],
          ['allow', 'everybody is let in'],
        ]}
      />
    </>
  );
}
