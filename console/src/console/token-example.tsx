import { type FormEvent, type JSX, useState } from 'react';
import type { AppResource } from '../../../src/api/access-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { PanelHead, SelectField, TextField } from './forms.tsx';
import { playWays, publishWays } from './publish-snippets.ts';
import { useRtmpAddress } from './publish-ways.tsx';
import { claimsOf, signSnippet, signToken, type TokenWish } from './sign-token.ts';
import { WayTabs } from './way-tabs.tsx';

const SPANS = [
  ['600', '10 minutes'],
  ['3600', '1 hour'],
  ['7200', '2 hours'],
  ['86400', '1 day'],
] as const;
const ACTS = [
  ['play', 'play'],
  ['publish', 'publish'],
] as const;

/** Helps to make a signed token: its claims, the code that signs it, and, with a secret, one to try. */
export function TokenExample({ app: { name, tokens } }: { readonly app: AppResource }): JSX.Element {
  const [wish, setWish] = useState<TokenWish>({ stream: `${name}/*`, act: 'play', holdsS: 7_200, addr: '', jti: '' });
  const [token, setToken] = useState('');
  const kid = tokens.keys.find(({ algorithm }) => algorithm === 'HS256')?.id ?? '';
  const set = (part: Partial<TokenWish>): void => {
    setWish((last) => ({ ...last, ...part }));
    // It says what was wished for before.
    setToken('');
  };
  const claims = { ...claimsOf(wish, Math.floor(Date.now() / 1000)), ...(tokens.issuer === undefined ? {} : { iss: tokens.issuer }) };
  const whole = { ...claims, ...(tokens.audience === undefined ? {} : { aud: tokens.audience }) };
  return (
    <section className="panel" aria-labelledby="token-example-title">
      <PanelHead id="token-example-title" title="Make a token" />
      <div className="form">
        <div className="fields">
          <TextField
            label="Stream (stream)"
            value={wish.stream}
            onChange={(stream) => set({ stream })}
            note="app/name, app/prefix* or app/*"
          />
          <SelectField
            label="To do (act)"
            value={wish.act}
            onChange={(act) => set({ act: act === 'publish' ? 'publish' : 'play' })}
            choices={ACTS}
          />
          <SelectField
            label="It holds for (exp)"
            value={String(wish.holdsS)}
            onChange={(span) => set({ holdsS: Number(span) })}
            choices={SPANS}
          />
          <TextField
            label="From (addr)"
            value={wish.addr}
            onChange={(addr) => set({ addr })}
            placeholder="anywhere"
            note="An address or network"
          />
          <TextField label="Id (jti)" value={wish.jti} onChange={(jti) => set({ jti })} placeholder="none" note="To revoke it by" />
        </div>
        <pre className="code">{signSnippet(wish, kid)}</pre>
        <SignHere claims={whole} kid={kid} signed={setToken} />
        <TokenUse act={wish.act} stream={wish.stream} token={token} />
      </div>
    </section>
  );
}

interface SignProps {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly kid: string;
  readonly signed: (token: string) => void;
}

/** Signs in the browser; the secret goes nowhere. */
function SignHere({ claims, kid, signed }: SignProps): JSX.Element | null {
  const [secret, setSecret] = useState('');
  // Only pages of https and of this very machine may sign.
  if (!window.isSecureContext) return null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void signToken(claims, kid, secret).then(signed);
  };
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        label="Secret of an HS256 key"
        type="password"
        value={secret}
        onChange={setSecret}
        isRequired
        note="To sign one here and now. It stays in this page, and is sent nowhere."
      />
      <div className="form-buttons">
        <button type="submit" className="button">
          Sign
        </button>
      </div>
    </form>
  );
}

interface TokenUseProps {
  readonly act: TokenWish['act'];
  readonly stream: string;
  /** '' while none was signed here. */
  readonly token: string;
}

/** Where a token goes: what to type into which program to publish or play with it. */
function TokenUse({ act, stream, token }: TokenUseProps): JSX.Element {
  const rtmp = useRtmpAddress();
  const [app = '', wished = ''] = stream.split('/');
  const name = wished === '' || wished.includes('*') ? 'NAME' : wished;
  const value = token === '' ? 'TOKEN' : token;
  return (
    <>
      {token !== '' && <CopyField label="Token" value={token} />}
      {act === 'publish' ? (
        <WayTabs key={act} label="Ways to publish with it" ways={publishWays(location, rtmp, app, name, { kind: 'token', value })} />
      ) : (
        <WayTabs key={act} label="Ways to play with it" ways={playWays(location, rtmp, app, name, value)} />
      )}
    </>
  );
}
