import { type JSX, useState } from 'react';
import type { ApiKeyResource, NewApiKeyResource } from '../../../src/api/access-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { useApiKeys, useApps, useCreateApiKey, useDeleteApiKey } from './access-queries.ts';
import { CheckField, FormDialog, PanelHead, SecretDialog, SelectField, TextField } from './forms.tsx';
import { JoinTokens } from './join-tokens.tsx';
import { NeedsKey } from './needs-key.tsx';
import { ConfirmDialog, PageTitle, Scrolled } from './parts.tsx';
import { useIsInCluster, useMayChange } from './session-context.ts';
import { EXPIRIES, expiryWish, formatExpiry, formatTime } from './spans.ts';

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

function ApiKeys(): JSX.Element {
  const { data: keys = [], error, isPending } = useApiKeys(true);
  const [isMaking, setMaking] = useState(false);
  const [doomed, setDoomed] = useState<ApiKeyResource>();
  const [made, setMade] = useState<NewApiKeyResource>();
  return (
    <section className="panel" aria-labelledby="api-keys-title">
      <PanelHead id="api-keys-title" title="API keys">
        <button type="button" className="button primary" onClick={() => setMaking(true)}>
          Make an API key …
        </button>
      </PanelHead>
      <NeedsKey problem={error} isLoading={isPending} what="API keys" />
      {keys.length > 0 && <KeyTable keys={keys} doom={setDoomed} />}
      <p className="note">The first admin key, which is in the data folder of its node, is not among them.</p>
      {isMaking && (
        <MakeKey
          onClose={() => setMaking(false)}
          made={(key) => {
            setMaking(false);
            setMade(key);
          }}
        />
      )}
      {doomed && <DeleteKey doomed={doomed} onClose={() => setDoomed(undefined)} />}
      {made && (
        <SecretDialog title="The new API key" onClose={() => setMade(undefined)}>
          <CopyField label="API key" value={made.key} />
          <CopyField label="For example" value={`curl -H "Authorization: Bearer ${made.key}" ${location.origin}/api/v1/streams`} />
        </SecretDialog>
      )}
    </section>
  );
}

function KeyTable({ keys, doom }: { readonly keys: readonly ApiKeyResource[]; readonly doom: (key: ApiKeyResource) => void }): JSX.Element {
  const now = Date.now();
  return (
    <Scrolled label="API keys">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Scopes</th>
            <th scope="col">Note</th>
            <th scope="col">Counts</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <th scope="row" className="id">
                {key.id}
              </th>
              <td data-label="Scopes">{key.scopes.join(', ')}</td>
              <td data-label="Note">{key.note}</td>
              <td data-label="Counts">
                {formatExpiry(key.expiresAt, now)}
                <span className="note block">made {formatTime(key.createdAt)}</span>
              </td>
              <td>
                <div className="row-buttons">
                  <button type="button" className="button danger-text" aria-label={`Delete ${key.id}`} onClick={() => doom(key)}>
                    Delete …
                  </button>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function MakeKey({ made, onClose }: { readonly made: (key: NewApiKeyResource) => void; readonly onClose: () => void }): JSX.Element {
  const [kind, setKind] = useState('read');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [expiry, setExpiry] = useState('');
  const [note, setNote] = useState('');
  const { data: apps = [] } = useApps(kind === 'apps');
  const create = useCreateApiKey();
  const scopes = kind === 'apps' ? chosen.map((app) => `app:${app}`) : [kind];
  return (
    <FormDialog
      title="Make an API key"
      action="Make the key"
      isBusy={create.isPending || scopes.length === 0}
      problem={create.error}
      onSubmit={() => create.mutate({ scopes, note, ...expiryWish(expiry) }, { onSuccess: made })}
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
      {kind === 'apps' && (
        <fieldset>
          <legend>Apps</legend>
          <div className="checks">
            {apps.map(({ name }) => (
              <CheckField
                key={name}
                label={name}
                isChecked={chosen.includes(name)}
                onChange={(isChecked) => setChosen(isChecked ? [...chosen, name] : chosen.filter((other) => other !== name))}
              />
            ))}
          </div>
        </fieldset>
      )}
      <SelectField label="It counts" value={expiry} onChange={setExpiry} choices={EXPIRIES} />
      <TextField label="Note" value={note} onChange={setNote} lengthMax={100} note="To know it by" />
    </FormDialog>
  );
}

function DeleteKey({ doomed: { id, note }, onClose }: { readonly doomed: ApiKeyResource; readonly onClose: () => void }): JSX.Element {
  const remove = useDeleteApiKey();
  return (
    <ConfirmDialog
      title={`Delete the API key ${id}?`}
      action="Delete the key"
      isBusy={remove.isPending}
      problem={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate(id, { onSuccess: onClose })}
    >
      <p>It is refused from now on, on all nodes, and sessions that began with it are{note === '' ? '' : ` (${note})`}.</p>
    </ConfirmDialog>
  );
}
