import { type FormEvent, type JSX, useState } from 'react';
import type { AppPatch, AppResource } from '../../../src/api/access-contract.ts';
import { useChangeApp } from './access-queries.ts';
import { linesOf, POLICY_CHOICES, policyWords, RECORDING_CHOICES, recordingWords, SECOND_CHOICES } from './app-words.ts';
import { AreaField, CheckField, NoteField, SaveRow, SelectField, TextField } from './forms.tsx';
import { Figure } from './parts.tsx';
import { useMayChange } from './session-context.ts';

/** Who may publish and play: as it is for those who only look, and as a form for those who may change it. */
export function AppSettings({ app }: { readonly app: AppResource }): JSX.Element {
  return (
    <section className="panel" aria-label="Settings">
      {useMayChange() ? <SettingsForm app={app} /> : <Settings app={app} />}
    </section>
  );
}

function Settings({
  app: { note, playback, secondPublisher, publishFromLoopback, configuredKeys, recording },
}: {
  readonly app: AppResource;
}): JSX.Element {
  const second = SECOND_CHOICES.find(([choice]) => choice === secondPublisher)?.[1] ?? secondPublisher;
  const listed = [...playback.domains, ...playback.networks].join(', ');
  return (
    <dl className="figures">
      {note !== '' && <Figure label="Note" value={<span className="small">{note}</span>} />}
      <Figure label="Who may play" value={<span className="small">{policyWords(playback.policy)}</span>} note={listed} />
      <Figure label="A second publisher" value={<span className="small">{second}</span>} />
      <Figure label="Recorded" value={<span className="small">{recordingWords(recording.mode)}</span>} />
      <Figure
        label="Publishers on the node’s machine"
        value={<span className="small">{publishFromLoopback ? 'need no key' : 'need a key'}</span>}
        note={configuredKeys === 0 ? undefined : `${configuredKeys} stream keys in the configuration`}
      />
    </dl>
  );
}

interface Draft {
  readonly note: string;
  readonly policy: string;
  readonly domains: string;
  readonly networks: string;
  readonly secondPublisher: string;
  readonly publishFromLoopback: boolean;
  readonly recordingMode: string;
  readonly fileMinutes: string;
  readonly keepDays: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
}

const draftOf = ({ note, playback, secondPublisher, publishFromLoopback, recording, tokens }: AppResource): Draft => ({
  note,
  policy: playback.policy,
  domains: playback.domains.join('\n'),
  networks: playback.networks.join('\n'),
  secondPublisher,
  publishFromLoopback,
  recordingMode: recording.mode,
  fileMinutes: String(recording.fileMinutes),
  keepDays: String(recording.keepDays),
  issuer: tokens.issuer ?? '',
  audience: tokens.audience ?? '',
  jwksUrl: tokens.jwksUrl ?? '',
});

const patchOf = (draft: Draft): AppPatch => ({
  note: draft.note,
  publishFromLoopback: draft.publishFromLoopback,
  secondPublisher: draft.secondPublisher as AppResource['secondPublisher'],
  playback: {
    policy: draft.policy as AppResource['playback']['policy'],
    domains: linesOf(draft.domains),
    networks: linesOf(draft.networks),
  },
  recording: {
    mode: draft.recordingMode as AppResource['recording']['mode'],
    fileMinutes: Number(draft.fileMinutes),
    keepDays: Number(draft.keepDays),
  },
  tokens: { issuer: draft.issuer, audience: draft.audience, jwksUrl: draft.jwksUrl },
});

function SettingsForm({ app }: { readonly app: AppResource }): JSX.Element {
  const [draft, setDraft] = useState(() => draftOf(app));
  const change = useChangeApp(app.name);
  const set = <Key extends keyof Draft>(key: Key, value: Draft[Key]): void => {
    change.reset();
    setDraft((last) => ({ ...last, [key]: value }));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate(patchOf(draft), { onSuccess: (after) => setDraft(draftOf(after)) });
  };
  return (
    <form className="form wide" onSubmit={submit}>
      <NoteField value={draft.note} onChange={(note) => set('note', note)} note="To know the app by" />
      <PlaybackFields draft={draft} set={set} />
      <PublishFields draft={draft} set={set} />
      <RecordingFields draft={draft} set={set} />
      <TokenFields draft={draft} set={set} />
      <SaveRow change={change} />
    </form>
  );
}

interface FieldsProps {
  readonly draft: Draft;
  readonly set: <Key extends keyof Draft>(key: Key, value: Draft[Key]) => void;
}

function PlaybackFields({ draft, set }: FieldsProps): JSX.Element {
  return (
    <>
      <SelectField label="Who may play" value={draft.policy} onChange={(policy) => set('policy', policy)} choices={POLICY_CHOICES} />
      {draft.policy === 'domains' && (
        <AreaField
          label="Domains"
          value={draft.domains}
          onChange={(domains) => set('domains', domains)}
          placeholder={'example.org\n*.example.org'}
          note="One a line; *.example.org is all below it. A signed token opens it, too."
        />
      )}
      {draft.policy === 'networks' && (
        <AreaField
          label="Networks"
          value={draft.networks}
          onChange={(networks) => set('networks', networks)}
          placeholder={'192.0.2.0/24\n2001:db8::/32'}
          note="One a line. A signed token opens it, too."
        />
      )}
    </>
  );
}

function PublishFields({ draft, set }: FieldsProps): JSX.Element {
  return (
    <>
      <SelectField
        label="A second publisher of a live stream"
        value={draft.secondPublisher}
        onChange={(second) => set('secondPublisher', second)}
        choices={SECOND_CHOICES}
        note="Standing by needs a cluster."
      />
      <CheckField
        label="Publishers on the node’s own machine need no key"
        isChecked={draft.publishFromLoopback}
        onChange={(isChecked) => set('publishFromLoopback', isChecked)}
      />
    </>
  );
}

const WHOLE_NUMBER: readonly [string, string] = ['[0-9]+', 'A whole number'];

function RecordingFields({ draft, set }: FieldsProps): JSX.Element {
  return (
    <>
      <SelectField
        label="Recorded are"
        value={draft.recordingMode}
        onChange={(mode) => set('recordingMode', mode)}
        choices={RECORDING_CHOICES}
      />
      {draft.recordingMode !== 'off' && (
        <div className="fields">
          <TextField
            label="Length of a file, min"
            value={draft.fileMinutes}
            onChange={(text) => set('fileMinutes', text)}
            pattern={WHOLE_NUMBER}
            isRequired
          />
          <TextField
            label="Kept for, days"
            value={draft.keepDays}
            onChange={(text) => set('keepDays', text)}
            pattern={WHOLE_NUMBER}
            isRequired
            note="0: until they are deleted"
          />
        </div>
      )}
    </>
  );
}

function TokenFields({ draft, set }: FieldsProps): JSX.Element {
  return (
    <fieldset>
      <legend>Signed tokens of others</legend>
      <div className="fields">
        <TextField label="Issuer (iss)" value={draft.issuer} onChange={(issuer) => set('issuer', issuer)} lengthMax={512} />
        <TextField label="Audience (aud)" value={draft.audience} onChange={(audience) => set('audience', audience)} lengthMax={512} />
      </div>
      <TextField
        label="Key set (JWKS)"
        type="url"
        value={draft.jwksUrl}
        onChange={(jwksUrl) => set('jwksUrl', jwksUrl)}
        lengthMax={512}
        placeholder="https://id.example.org/jwks.json"
        note="Where the public keys are that tokens may be signed with"
      />
    </fieldset>
  );
}
