import { type JSX, useState } from 'react';
import type { ApiKeyResource, NewApiKeyResource } from '../../../src/api/access-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { useApiKeys, useApps, useCreateApiKey, useDeleteApiKey } from './access-queries.ts';
import { DeleteCredential, ExpiryField, TermNoteField, useTerm } from './credential-forms.tsx';
import { type CredentialColumn, CredentialPanel } from './credential-panel.tsx';
import { FormDialog, SecretDialog } from './dialogs.tsx';
import { ChecksField, SelectField } from './forms.tsx';
import { JoinTokens } from './join-tokens.tsx';
import { NeedsKey } from './needs-key.tsx';
import { PageTitle } from './parts.tsx';
import { useIsInCluster, useMayChange } from './session-context.ts';
import { expiryWish, formatExpiry, formatTime } from './spans.ts';

/** Who may use the API, and which nodes may join. */
export function KeysPage(): JSX.Element {
  const isAdmin = useMayChange();
  const isInCluster = useIsInCluster();
  return (
    <>
      <PageTitle title="Keys" />
      {isAdmin ? (
        <>
          <ApiKeys />
          {isInCluster && <JoinTokens />}
        </>
      ) : (
        <p className="notice">Keys are shown to those who sign in with an admin key.</p>
      )}
    </>
  );
}

const COLUMNS: readonly CredentialColumn<ApiKeyResource>[] = [
  { title: 'Id', cell: ({ id }) => id },
  { title: 'Scopes', cell: ({ scopes }) => scopes.join(', ') },
  { title: 'Note', cell: ({ note }) => note },
  {
    title: 'Counts',
    cell: ({ expiresAt, createdAt }, nowMs) => (
      <>
        {formatExpiry(expiresAt, nowMs)}
        <span className="note block">made {formatTime(createdAt)}</span>
      </>
    ),
  },
];

function ApiKeys(): JSX.Element {
  const { data: keys = [], error, isPending } = useApiKeys(true);
  return (
    <CredentialPanel<ApiKeyResource, NewApiKeyResource>
      id="api-keys-title"
      title="API keys"
      items={keys}
      columns={COLUMNS}
      mayChange
      make={{ words: 'Make an API key …', form: (onClose, made) => <MakeKey made={made} onClose={onClose} /> }}
      secret={({ key }, onClose) => (
        <SecretDialog title="The new API key" onClose={onClose}>
          <CopyField label="API key" value={key} />
          <CopyField label="For example" value={`curl -H "Authorization: Bearer ${key}" ${location.origin}/api/v1/streams`} />
        </SecretDialog>
      )}
      actions={[{ verb: 'Delete', isDangerous: true, dialog: (key, onClose) => <DeleteKey apiKey={key} onClose={onClose} /> }]}
      standing={<NeedsKey problem={error} isLoading={isPending} what="API keys" />}
    >
      <p className="note">The first admin key of a node on its own, which is in its data folder, is not among them.</p>
    </CredentialPanel>
  );
}

function MakeKey({ made, onClose }: { readonly made: (key: NewApiKeyResource) => void; readonly onClose: () => void }): JSX.Element {
  const [kind, setKind] = useState('read');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const term = useTerm();
  const { data: apps = [] } = useApps(kind === 'apps');
  const scopes = kind === 'apps' ? chosen.map((app) => `app:${app}`) : [kind];
  return (
    <FormDialog
      title="Make an API key"
      action="Make the key"
      change={useCreateApiKey()}
      wish={{ scopes, note: term.note, ...expiryWish(term.expiry) }}
      isReady={scopes.length > 0}
      onDone={made}
      onClose={onClose}
    >
      <SelectField
        label="It may"
        value={kind}
        onChange={setKind}
        choices={[
          ['read', 'see everything (read)'],
          ['admin', 'do everything (admin)'],
          ['apps', 'do what concerns certain apps'],
        ]}
      />
      {kind === 'apps' && <ChecksField label="Apps" choices={apps.map(({ name }) => name)} chosen={chosen} onChange={setChosen} />}
      <ExpiryField term={term} />
      <TermNoteField term={term} />
    </FormDialog>
  );
}

function DeleteKey({ apiKey: { id, note }, onClose }: { readonly apiKey: ApiKeyResource; readonly onClose: () => void }): JSX.Element {
  return (
    <DeleteCredential what="API key" id={id} change={useDeleteApiKey()} onClose={onClose}>
      It is refused from now on, on all nodes, and sessions that began with it are{note === '' ? '' : ` (${note})`}.
    </DeleteCredential>
  );
}
