import { type JSX, useState } from 'react';
import type { AppResource, NewTokenKeyResource, TokenKeyResource, TokenKeyWish } from '../../../src/api/access-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { useAddTokenKey, useDeleteTokenKey } from './access-queries.ts';
import { AreaField, FormDialog, PanelHead, SecretDialog, SelectField } from './forms.tsx';
import { ConfirmDialog, Scrolled } from './parts.tsx';
import { useMayChange } from './session-context.ts';
import { formatTime } from './spans.ts';

const ALGORITHMS = [
  ['HS256', 'HS256: a secret that the server makes'],
  ['ES256', 'ES256: a public key of yours'],
  ['EdDSA', 'EdDSA (Ed25519): a public key of yours'],
] as const;

/** The keys that an app's tokens are checked with. */
export function TokenKeys({ app: { name, tokens } }: { readonly app: AppResource }): JSX.Element {
  const [isMaking, setMaking] = useState(false);
  const [doomed, setDoomed] = useState<TokenKeyResource>();
  const [made, setMade] = useState<NewTokenKeyResource>();
  const mayChange = useMayChange();
  const show = (key: NewTokenKeyResource): void => {
    setMaking(false);
    if (key.secret !== undefined) setMade(key);
  };
  return (
    <section className="panel" aria-labelledby="token-keys-title">
      <PanelHead id="token-keys-title" title="Token keys">
        {mayChange && (
          <button type="button" className="button primary" onClick={() => setMaking(true)}>
            Add a key …
          </button>
        )}
      </PanelHead>
      {tokens.keys.length === 0 ? (
        <p className="note">
          {tokens.jwksUrl === undefined ? 'None: no token opens this app yet.' : `None here; those of ${tokens.jwksUrl} count.`}
        </p>
      ) : (
        <KeyTable keys={tokens.keys} mayChange={mayChange} doom={setDoomed} />
      )}
      {isMaking && <AddKey app={name} made={show} onClose={() => setMaking(false)} />}
      {doomed && <DeleteKey app={name} id={doomed.id} onClose={() => setDoomed(undefined)} />}
      {made?.secret !== undefined && (
        <SecretDialog title="The new token key" onClose={() => setMade(undefined)}>
          <CopyField label="Secret" value={made.secret} />
          <CopyField label="Id (kid)" value={made.id} />
        </SecretDialog>
      )}
    </section>
  );
}

function KeyTable({
  keys,
  mayChange,
  doom,
}: {
  readonly keys: readonly TokenKeyResource[];
  readonly mayChange: boolean;
  readonly doom: (key: TokenKeyResource) => void;
}): JSX.Element {
  return (
    <Scrolled label="Token keys">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">Id (kid)</th>
            <th scope="col">Algorithm</th>
            <th scope="col">Made</th>
            {mayChange && <td />}
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <th scope="row" className="id">
                {key.id}
              </th>
              <td>{key.algorithm}</td>
              <td data-label="Made">{formatTime(key.createdAt)}</td>
              {mayChange && (
                <td>
                  <div className="row-buttons">
                    <button type="button" className="button danger-text" aria-label={`Delete ${key.id}`} onClick={() => doom(key)}>
                      Delete …
                    </button>
                  </div>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function AddKey({
  app,
  made,
  onClose,
}: {
  readonly app: string;
  readonly made: (key: NewTokenKeyResource) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const [algorithm, setAlgorithm] = useState<TokenKeyWish['algorithm']>('HS256');
  const [publicKey, setPublicKey] = useState('');
  const add = useAddTokenKey(app);
  const wish: TokenKeyWish = algorithm === 'HS256' ? { algorithm } : { algorithm, publicKey };
  return (
    <FormDialog
      title={`A token key for ${app}`}
      action="Add the key"
      isBusy={add.isPending}
      problem={add.error}
      onSubmit={() => add.mutate(wish, { onSuccess: made })}
      onClose={onClose}
    >
      <SelectField
        label="Algorithm"
        value={algorithm}
        onChange={(value) => setAlgorithm(value as TokenKeyWish['algorithm'])}
        choices={ALGORITHMS}
      />
      {algorithm !== 'HS256' && (
        <AreaField label="Public key" value={publicKey} onChange={setPublicKey} placeholder="-----BEGIN PUBLIC KEY-----" note="PEM" />
      )}
    </FormDialog>
  );
}

function DeleteKey({ app, id, onClose }: { readonly app: string; readonly id: string; readonly onClose: () => void }): JSX.Element {
  const remove = useDeleteTokenKey(app);
  return (
    <ConfirmDialog
      title={`Delete the token key ${id}?`}
      action="Delete the key"
      isBusy={remove.isPending}
      problem={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate(id, { onSuccess: onClose })}
    >
      <p>Tokens that were signed with it let nobody in any more.</p>
    </ConfirmDialog>
  );
}
