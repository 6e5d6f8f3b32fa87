import { type JSX, useState } from 'react';
import type { AppResource, RevokedTokenResource } from '../../../src/api/access-contract.ts';
import { useRevokedTokens, useRevokeToken } from './access-queries.ts';
import { type CredentialColumn, CredentialPanel } from './credential-panel.tsx';
import { FormDialog } from './dialogs.tsx';
import { CheckField, SelectField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { useMayChange } from './session-context.ts';
import { EXPIRIES, formatTime } from './spans.ts';

// Longer than any token of it holds; nothing is revoked for ever.
const SPANS = EXPIRIES.filter(([seconds]) => seconds !== '');

const COLUMNS: readonly CredentialColumn<RevokedTokenResource & { readonly id: string }>[] = [
  { title: 'jti', cell: ({ jti }) => jti },
  { title: 'Revoked', cell: ({ revokedAt }) => formatTime(revokedAt) },
  { title: 'Kept until', cell: ({ expiresAt }) => formatTime(expiresAt) },
];

/** The tokens of an app that count no more. */
export function RevokedTokens({ app: { name } }: { readonly app: AppResource }): JSX.Element {
  const { data: tokens = [], error, isPending } = useRevokedTokens(name);
  return (
    <CredentialPanel
      id="revoked-title"
      title="Revoked tokens"
      items={tokens.map((token) => ({ ...token, id: token.jti }))}
      columns={COLUMNS}
      mayChange={useMayChange()}
      make={{ words: 'Revoke a token …', isPlain: true, form: (onClose) => <Revoke app={name} onClose={onClose} /> }}
      standing={<NeedsKey problem={error} isLoading={isPending} what="revoked tokens" />}
    >
      {!isPending && error === null && tokens.length === 0 && <p className="note">None.</p>}
    </CredentialPanel>
  );
}

function Revoke({ app, onClose }: { readonly app: string; readonly onClose: () => void }): JSX.Element {
  const [jti, setJti] = useState('');
  const [span, setSpan] = useState(SPANS[3]?.[0] ?? '');
  const [endSessions, setEndSessions] = useState(false);
  return (
    <FormDialog
      title="Revoke a token"
      action="Revoke"
      change={useRevokeToken(app)}
      wish={{ jti, expiresInS: Number(span), endSessions }}
      onClose={onClose}
    >
      <p>It begins nothing any more, and gets no more of HLS. Other sessions that it began go on, unless they are to end, too.</p>
      <TextField label="jti" value={jti} onChange={setJti} isRequired lengthMax={128} placeholder="viewer-4711" />
      <SelectField label="The token holds at most for" value={span} onChange={setSpan} choices={SPANS} note="So long it is remembered" />
      <CheckField label="End what it has begun, on all nodes" isChecked={endSessions} onChange={setEndSessions} />
    </FormDialog>
  );
}
