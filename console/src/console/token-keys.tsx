import { type JSX, useState } from 'react';
import type { AppResource, NewTokenKeyResource, TokenKeyResource, TokenKeyWish } from '../../../src/api/access-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { useAddTokenKey, useDeleteTokenKey } from './access-queries.ts';
import { DeleteCredential } from './credential-forms.tsx';
import { type CredentialColumn, CredentialPanel } from './credential-panel.tsx';
import { FormDialog, SecretDialog } from './dialogs.tsx';
import { AreaField, SelectField } from './forms.tsx';
import { useMayChange } from './session-context.ts';
import { formatTime } from './spans.ts';

const ALGORITHMS = [
  ['HS256', 'HS256: a secret that the server makes'],
  ['ES256', 'ES256: a public key of yours'],
  ['EdDSA', 'EdDSA (Ed25519): a public key of yours'],
] as const;

const COLUMNS: readonly CredentialColumn<TokenKeyResource>[] = [
  { title: 'Id (kid)', cell: ({ id }) => id },
  { title: 'Algorithm', cell: ({ algorithm }) => algorithm },
  { title: 'Made', cell: ({ createdAt }) => formatTime(createdAt) },
];

/** The keys that an app's tokens are checked with. */
export function TokenKeys({ app: { name, tokens } }: { readonly app: AppResource }): JSX.Element {
  return (
    <CredentialPanel<TokenKeyResource, NewTokenKeyResource>
      id="token-keys-title"
      title="Token keys"
      items={tokens.keys}
      columns={COLUMNS}
      mayChange={useMayChange()}
      make={{ words: 'Add a key …', form: (onClose, made) => <AddKey app={name} made={made} onClose={onClose} /> }}
      // Of a public key there is no secret.
      secret={({ id, secret }, onClose) =>
        secret === undefined ? null : (
          <SecretDialog title="The new token key" onClose={onClose}>
            <CopyField label="Secret" value={secret} />
            <CopyField label="Id (kid)" value={id} />
          </SecretDialog>
        )
      }
      actions={[{ verb: 'Delete', isDangerous: true, dialog: ({ id }, onClose) => <DeleteKey app={name} id={id} onClose={onClose} /> }]}
    >
      {tokens.keys.length === 0 && (
        <p className="note">
          {tokens.jwksUrl === undefined ? 'None: no token opens this app yet.' : `None here; those of ${tokens.jwksUrl} count.`}
        </p>
      )}
    </CredentialPanel>
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
  return (
    <FormDialog
      title={`A token key for ${app}`}
      action="Add the key"
      change={useAddTokenKey(app)}
      wish={algorithm === 'HS256' ? { algorithm } : { algorithm, publicKey }}
      onDone={made}
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
  return (
    <DeleteCredential what="token key" id={id} change={useDeleteTokenKey(app)} onClose={onClose}>
      Tokens that were signed with it let nobody in any more.
    </DeleteCredential>
  );
}
