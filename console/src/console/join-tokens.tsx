import { type JSX, useState } from 'react';
import type { JoinTokenResource, JoinTokenWish, NewJoinTokenResource } from '../../../src/api/cluster-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { useCreateJoinToken, useDeleteJoinToken, useJoinTokens } from './access-queries.ts';
import { linesOf } from './app-words.ts';
import { DeleteCredential, ExpiryField, TermNoteField, useTerm } from './credential-forms.tsx';
import { type CredentialColumn, CredentialPanel } from './credential-panel.tsx';
import { FormDialog, SecretDialog } from './dialogs.tsx';
import { ChecksField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { EXPIRIES, formatExpiry } from './spans.ts';

type Role = JoinTokenWish['roles'][number];
const ROLES: readonly Role[] = ['edge', 'origin', 'transcode', 'manager', 'mono'];
const SPANS = EXPIRIES.filter(([seconds]) => seconds !== '');

const COLUMNS: readonly CredentialColumn<JoinTokenResource>[] = [
  {
    title: 'Id',
    cell: ({ id, note }) => (
      <>
        {id}
        {note !== '' && <span className="note block">{note}</span>}
      </>
    ),
  },
  { title: 'Roles', cell: ({ roles }) => roles.join(', ') },
  { title: 'Regions', cell: ({ regions }) => (regions.length === 0 ? 'any' : regions.join(', ')) },
  {
    title: 'Used',
    cell: ({ uses, usesMax, usedBy }) => (
      <>
        {uses} of {usesMax}
        {usedBy.length > 0 && <span className="note block id">{usedBy.join(', ')}</span>}
      </>
    ),
  },
  { title: 'Counts', cell: ({ expiresAt }, nowMs) => formatExpiry(expiresAt, nowMs) },
];

/** The tokens by which nodes join the cluster. */
export function JoinTokens(): JSX.Element {
  const { data: tokens = [], error, isPending } = useJoinTokens(true);
  return (
    <CredentialPanel<JoinTokenResource, NewJoinTokenResource>
      id="join-tokens-title"
      title="Join tokens"
      items={tokens}
      columns={COLUMNS}
      mayChange
      make={{ words: 'Make a join token …', form: (onClose, made) => <MakeToken made={made} onClose={onClose} /> }}
      secret={(token, onClose) => <NewToken token={token} onClose={onClose} />}
      actions={[
        { verb: 'Delete', what: 'token', isDangerous: true, dialog: (token, onClose) => <DeleteToken token={token} onClose={onClose} /> },
      ]}
      standing={<NeedsKey problem={error} isLoading={isPending} what="join tokens" />}
    >
      {!isPending && error === null && tokens.length === 0 && <p className="note">None: no node can join now.</p>}
    </CredentialPanel>
  );
}

function MakeToken({ made, onClose }: { readonly made: (token: NewJoinTokenResource) => void; readonly onClose: () => void }): JSX.Element {
  const [roles, setRoles] = useState<readonly Role[]>(['edge']);
  const [regions, setRegions] = useState('');
  const [uses, setUses] = useState('1');
  const term = useTerm('86400');
  return (
    <FormDialog
      title="Make a join token"
      action="Make the token"
      change={useCreateJoinToken()}
      wish={{ roles: [...roles], regions: linesOf(regions), usesMax: Number(uses), expiresInS: Number(term.expiry), note: term.note }}
      isReady={roles.length > 0}
      onDone={made}
      onClose={onClose}
    >
      <ChecksField label="Nodes may join as" choices={ROLES} chosen={roles} onChange={setRoles} />
      <TextField label="Regions" value={regions} onChange={setRegions} placeholder="any" note="Separated by commas; empty for any" />
      <div className="fields">
        <TextField label="Nodes" type="number" value={uses} onChange={setUses} isRequired note="How many may join with it" />
        <ExpiryField term={term} choices={SPANS} />
      </div>
      <TermNoteField term={term} />
    </FormDialog>
  );
}

function NewToken({
  token: { token, roles, regions },
  onClose,
}: {
  readonly token: NewJoinTokenResource;
  readonly onClose: () => void;
}): JSX.Element {
  const options = `${roles.map((role) => `--role ${role}`).join(' ')} --region ${regions[0] ?? 'REGION'}`;
  return (
    <SecretDialog title="The new join token" onClose={onClose}>
      <CopyField label="Join token" value={token} />
      <CopyField label="On the new machine" value={`SLUICE_JOIN_TOKEN='${token}' sluice join ${location.origin} ${options}`} />
    </SecretDialog>
  );
}

function DeleteToken({ token: { id, uses }, onClose }: { readonly token: JoinTokenResource; readonly onClose: () => void }): JSX.Element {
  return (
    <DeleteCredential what="join token" id={id} change={useDeleteJoinToken()} onClose={onClose}>
      No node can join with it any more.{uses > 0 && ' Those that have joined stay.'}
    </DeleteCredential>
  );
}
