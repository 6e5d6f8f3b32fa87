import { type JSX, useState } from 'react';
import type { JoinTokenResource, JoinTokenWish, NewJoinTokenResource } from '../../../src/api/cluster-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { useCreateJoinToken, useDeleteJoinToken, useJoinTokens } from './access-queries.ts';
import { linesOf } from './app-words.ts';
import { CheckField, FormDialog, PanelHead, SecretDialog, SelectField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { ConfirmDialog, Scrolled } from './parts.tsx';
import { EXPIRIES, formatExpiry } from './spans.ts';

type Role = JoinTokenWish['roles'][number];
const ROLES: readonly Role[] = ['edge', 'origin', 'transcode', 'manager', 'mono'];
const SPANS = EXPIRIES.filter(([seconds]) => seconds !== '');

/** The tokens by which nodes join the cluster. */
export function JoinTokens(): JSX.Element {
  const { data: tokens = [], error, isPending } = useJoinTokens(true);
  const [isMaking, setMaking] = useState(false);
  const [doomed, setDoomed] = useState<JoinTokenResource>();
  const [made, setMade] = useState<NewJoinTokenResource>();
  return (
    <section className="panel" aria-labelledby="join-tokens-title">
      <PanelHead id="join-tokens-title" title="Join tokens">
        <button type="button" className="button primary" onClick={() => setMaking(true)}>
          Make a join token …
        </button>
      </PanelHead>
      <NeedsKey problem={error} isLoading={isPending} what="join tokens" />
      {tokens.length > 0 && <TokenTable tokens={tokens} doom={setDoomed} />}
      {!isPending && error === null && tokens.length === 0 && <p className="note">None: no node can join now.</p>}
      {isMaking && (
        <MakeToken
          onClose={() => setMaking(false)}
          made={(token) => {
            setMaking(false);
            setMade(token);
          }}
        />
      )}
      {doomed && <DeleteToken doomed={doomed} onClose={() => setDoomed(undefined)} />}
      {made && (
        <SecretDialog title="The new join token" onClose={() => setMade(undefined)}>
          <CopyField label="Join token" value={made.token} />
          <CopyField
            label="On the new machine"
            value={`SLUICE_JOIN_TOKEN='${made.token}' sluice join ${location.origin} ${made.roles.map((role) => `--role ${role}`).join(' ')} --region ${made.regions[0] ?? 'REGION'}`}
          />
        </SecretDialog>
      )}
    </section>
  );
}

function TokenTable({
  tokens,
  doom,
}: {
  readonly tokens: readonly JoinTokenResource[];
  readonly doom: (token: JoinTokenResource) => void;
}): JSX.Element {
  const now = Date.now();
  return (
    <Scrolled label="Join tokens">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Roles</th>
            <th scope="col">Regions</th>
            <th scope="col">Used</th>
            <th scope="col">Counts</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row" className="id">
                {token.id}
                {token.note !== '' && <span className="note block">{token.note}</span>}
              </th>
              <td data-label="Roles">{token.roles.join(', ')}</td>
              <td data-label="Regions">{token.regions.length === 0 ? 'any' : token.regions.join(', ')}</td>
              <td data-label="Used">
                {token.uses} of {token.usesMax}
                {token.usedBy.length > 0 && <span className="note block id">{token.usedBy.join(', ')}</span>}
              </td>
              <td data-label="Counts">{formatExpiry(token.expiresAt, now)}</td>
              <td>
                <div className="row-buttons">
                  <button type="button" className="button danger-text" aria-label={`Delete token ${token.id}`} onClick={() => doom(token)}>
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

function MakeToken({ made, onClose }: { readonly made: (token: NewJoinTokenResource) => void; readonly onClose: () => void }): JSX.Element {
  const [roles, setRoles] = useState<readonly Role[]>(['edge']);
  const [regions, setRegions] = useState('');
  const [uses, setUses] = useState('1');
  const [expiry, setExpiry] = useState('86400');
  const [note, setNote] = useState('');
  const create = useCreateJoinToken();
  const wish: JoinTokenWish = { roles: [...roles], regions: linesOf(regions), usesMax: Number(uses), expiresInS: Number(expiry), note };
  return (
    <FormDialog
      title="Make a join token"
      action="Make the token"
      isBusy={create.isPending || roles.length === 0}
      problem={create.error}
      onSubmit={() => create.mutate(wish, { onSuccess: made })}
      onClose={onClose}
    >
      <fieldset>
        <legend>Nodes may join as</legend>
        <div className="checks">
          {ROLES.map((role) => (
            <CheckField
              key={role}
              label={role}
              isChecked={roles.includes(role)}
              onChange={(isChecked) => setRoles(isChecked ? [...roles, role] : roles.filter((other) => other !== role))}
            />
          ))}
        </div>
      </fieldset>
      <TextField label="Regions" value={regions} onChange={setRegions} placeholder="any" note="Separated by commas; empty for any" />
      <div className="fields">
        <TextField label="Nodes" type="number" value={uses} onChange={setUses} isRequired note="How many may join with it" />
        <SelectField label="It counts" value={expiry} onChange={setExpiry} choices={SPANS} />
      </div>
      <TextField label="Note" value={note} onChange={setNote} lengthMax={100} note="To know it by" />
    </FormDialog>
  );
}

function DeleteToken({ doomed: { id, uses }, onClose }: { readonly doomed: JoinTokenResource; readonly onClose: () => void }): JSX.Element {
  const remove = useDeleteJoinToken();
  return (
    <ConfirmDialog
      title={`Delete the join token ${id}?`}
      action="Delete the token"
      isBusy={remove.isPending}
      problem={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate(id, { onSuccess: onClose })}
    >
      <p>No node can join with it any more.{uses > 0 && ' Those that have joined stay.'}</p>
    </ConfirmDialog>
  );
}
