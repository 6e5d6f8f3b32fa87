import { type JSX, useState } from 'react';
import type { AppResource, NewStreamKeyResource, StreamKeyResource } from '../../../src/api/access-contract.ts';
import { useCreateStreamKey, useDeleteStreamKey, useRotateStreamKey, useStreamKeys } from './access-queries.ts';
import { ExpiryField, TermNoteField, useTerm } from './credential-forms.tsx';
import { type CredentialColumn, CredentialPanel } from './credential-panel.tsx';
import { ConfirmDialog, FormDialog } from './dialogs.tsx';
import { CheckField, SelectField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { NewStreamKey } from './new-stream-key.tsx';
import { useMayChange } from './session-context.ts';
import { expiryWish, formatExpiry, formatTime, GRACES } from './spans.ts';

const COLUMNS: readonly CredentialColumn<StreamKeyResource>[] = [
  { title: 'Id', cell: ({ id }) => id },
  { title: 'Stream', cell: ({ stream }) => stream ?? 'all of the app' },
  { title: 'Note', cell: ({ note }) => note },
  {
    title: 'Counts',
    cell: ({ expiresAt, createdAt, oldSecretUntil }, nowMs) => (
      <>
        {formatExpiry(expiresAt, nowMs)}
        <span className="note block">made {formatTime(createdAt)}</span>
        {oldSecretUntil !== undefined && Date.parse(oldSecretUntil) > nowMs && (
          <span className="note block">the old secret, too, until {formatTime(oldSecretUntil)}</span>
        )}
      </>
    ),
  },
];

/** The stream keys of an app: made, rotated and deleted here; their secrets are seen once. */
export function StreamKeys({ app: { name, configuredKeys } }: { readonly app: AppResource }): JSX.Element {
  const { data: keys = [], error, isPending } = useStreamKeys(name);
  return (
    <CredentialPanel<StreamKeyResource, NewStreamKeyResource>
      id="keys-title"
      title="Stream keys"
      items={keys}
      columns={COLUMNS}
      mayChange={useMayChange()}
      make={{ words: 'Make a key …', form: (onClose, made) => <MakeKey app={name} made={made} onClose={onClose} /> }}
      secret={(made, onClose) => <NewStreamKey made={made} onClose={onClose} />}
      actions={[
        { verb: 'Rotate', dialog: ({ id }, onClose, made) => <RotateKey app={name} id={id} made={made} onClose={onClose} /> },
        { verb: 'Delete', isDangerous: true, dialog: (key, onClose) => <DeleteKey app={name} streamKey={key} onClose={onClose} /> },
      ]}
      standing={<NeedsKey problem={error} isLoading={isPending} what="stream keys" />}
    >
      {!isPending && error === null && keys.length === 0 && <p className="note">None was made yet.</p>}
      {configuredKeys > 0 && (
        <p className="note">
          {configuredKeys === 1 ? 'One more is' : `${configuredKeys} more are`} in the configuration, and cannot be changed here.
        </p>
      )}
    </CredentialPanel>
  );
}

interface MakeProps {
  readonly app: string;
  readonly made: (key: NewStreamKeyResource) => void;
  readonly onClose: () => void;
}

function MakeKey({ app, made, onClose }: MakeProps): JSX.Element {
  const [stream, setStream] = useState('');
  const term = useTerm();
  return (
    <FormDialog
      title={`A stream key for ${app}`}
      action="Make the key"
      change={useCreateStreamKey(app)}
      wish={{ ...(stream === '' ? {} : { stream }), ...expiryWish(term.expiry), note: term.note }}
      onDone={made}
      onClose={onClose}
    >
      <TextField
        label="Stream"
        value={stream}
        onChange={setStream}
        placeholder="all of the app"
        pattern={['[A-Za-z0-9_][A-Za-z0-9_.\\-]{0,63}', 'Letters, digits, _ . -']}
        note="The one stream that it may publish; empty for all of the app"
      />
      <ExpiryField term={term} />
      <TermNoteField term={term} placeholder="studio 1" />
    </FormDialog>
  );
}

function RotateKey({ app, id, made, onClose }: MakeProps & { readonly id: string }): JSX.Element {
  const [grace, setGrace] = useState('3600');
  return (
    <FormDialog
      title={`Rotate ${id}?`}
      action="Rotate"
      change={useRotateStreamKey(app)}
      wish={{ id, graceS: Number(grace) }}
      onDone={made}
      onClose={onClose}
    >
      <p>It gets a new secret, which is shown once. Who publishes now goes on.</p>
      <SelectField label="The old secret still counts for" value={grace} onChange={setGrace} choices={GRACES} />
    </FormDialog>
  );
}

function DeleteKey({
  app,
  streamKey: { id, note, stream },
  onClose,
}: Pick<MakeProps, 'app' | 'onClose'> & { readonly streamKey: StreamKeyResource }): JSX.Element {
  const [endSessions, setEndSessions] = useState(false);
  return (
    <ConfirmDialog
      title={`Delete the key ${id}?`}
      action="Delete the key"
      change={useDeleteStreamKey(app)}
      wish={{ id, endSessions }}
      onClose={onClose}
    >
      <p>
        Nobody can begin to publish {stream === undefined ? `into ${app}` : `${app}/${stream}`} with it any more
        {note === '' ? '' : ` (${note})`}.
      </p>
      <CheckField label="End what is published with it now, too" isChecked={endSessions} onChange={setEndSessions} />
    </ConfirmDialog>
  );
}
