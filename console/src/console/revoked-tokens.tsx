import { type JSX, useState } from 'react';
import type { AppResource } from '../../../src/api/access-contract.ts';
import { useRevokedTokens, useRevokeToken } from './access-queries.ts';
import { CheckField, FormDialog, PanelHead, SelectField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { Scrolled } from './parts.tsx';
import { useMayChange } from './session-context.ts';
import { EXPIRIES, formatTime } from './spans.ts';

// Longer than any token of it holds; nothing is revoked for ever.
const SPANS = EXPIRIES.filter(([seconds]) => seconds !== '');

/** The tokens of an app that count no more. */
export function RevokedTokens({ app: { name } }: { readonly app: AppResource }): JSX.Element {
  const { data: tokens = [], error, isPending } = useRevokedTokens(name);
  const [isAsking, setAsking] = useState(false);
  return (
    <section className="panel" aria-labelledby="revoked-title">
      <PanelHead id="revoked-title" title="Revoked tokens">
        {useMayChange() && (
          <button type="button" className="button" onClick={() => setAsking(true)}>
            Revoke a token …
          </button>
        )}
      </PanelHead>
      <NeedsKey problem={error} isLoading={isPending} what="revoked tokens" />
      {tokens.length > 0 && (
        <Scrolled label="Revoked tokens">
          <table className="stack">
            <thead>
              <tr>
                <th scope="col">jti</th>
                <th scope="col">Revoked</th>
                <th scope="col">Kept until</th>
              </tr>
            </thead>
            <tbody>
              {tokens.map(({ jti, revokedAt, expiresAt }) => (
                <tr key={jti}>
                  <th scope="row" className="id">
                    {jti}
                  </th>
                  <td data-label="Revoked">{formatTime(revokedAt)}</td>
                  <td data-label="Kept until">{formatTime(expiresAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
      {!isPending && error === null && tokens.length === 0 && <p className="note">None.</p>}
      {isAsking && <Revoke app={name} onClose={() => setAsking(false)} />}
    </section>
  );
}

function Revoke({ app, onClose }: { readonly app: string; readonly onClose: () => void }): JSX.Element {
  const [jti, setJti] = useState('');
  const [span, setSpan] = useState(SPANS[3]?.[0] ?? '');
  const [endSessions, setEndSessions] = useState(false);
  const revoke = useRevokeToken(app);
  return (
    <FormDialog
      title="Revoke a token"
      action="Revoke"
      isBusy={revoke.isPending}
      problem={revoke.error}
      onSubmit={() => revoke.mutate({ jti, expiresInS: Number(span), endSessions }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>It begins nothing any more, and gets no more of HLS. Other sessions that it began go on, unless they are to end, too.</p>
      <TextField label="jti" value={jti} onChange={setJti} isRequired lengthMax={128} placeholder="viewer-4711" />
      <SelectField label="The token holds at most for" value={span} onChange={setSpan} choices={SPANS} note="So long it is remembered" />
      <CheckField label="End what it has begun, on all nodes" isChecked={endSessions} onChange={setEndSessions} />
    </FormDialog>
  );
}
