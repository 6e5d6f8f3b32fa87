import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { exportJWK, SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_TOKENS, type TokenKey, type TokenSettings, type TokenVerdict, UrlPolicy } from '../../access/mod.ts';
import { TokenVerifier } from './token-verifier.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECRET = 'a-secret-of-this-app-that-is-long-enough-0123';
const FUZZ_RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const claims = { sub: 'live/show', act: 'play' };
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const key = (algorithm: TokenKey['algorithm'], material: string, id = 'k1'): TokenKey => ({ id, algorithm, material, createdAtMs: 0 });
const hs256: TokenSettings = { ...NO_TOKENS, keys: [key('HS256', SECRET)] };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const sign = (alg: string, by: KeyObject | Uint8Array, more: object = {}, header: object = {}): Promise<string> =>
  new SignJWT({ exp: NOW / 1000 + 60, ...claims, ...more }).setProtectedHeader({ alg, ...header }).sign(by);
const secret = (text: string): Uint8Array => new TextEncoder().encode(text);
const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const byHand = (header: object, payload: unknown, by = SECRET): string => {
  const body = `${part(header)}.${part(payload)}`;
  return `${body}.${createHmac('sha256', by).update(body).digest('base64url')}`;
};

function make(cachedMax = 100) {
  const clock = { wall: NOW };
  const policy = new UrlPolicy({ allowedNetworks: ['127.0.0.1'], allowedFolders: [] });
  const verifier = new TokenVerifier({ policy, wall: () => clock.wall, cachedMax });
  const verify = (token: string, settings = hs256, app = 'live'): Promise<TokenVerdict> =>
    new Promise((resolve) => verifier.verify(app, settings, token, resolve));
  return { verifier, verify, clock };
}

describe('a token', () => {
  it('is taken when a key of the app signed it', async () => {
    const { verify } = make();
    expect(await verify(await sign('HS256', secret(SECRET)))).toMatchObject({ claims: { stream: 'live/show', act: 'play' } });
    const settings = { ...NO_TOKENS, keys: [key('ES256', pem(ec.publicKey)), key('EdDSA', pem(ed.publicKey), 'k2')] };
    expect(await verify(await sign('ES256', ec.privateKey), settings)).toHaveProperty('claims');
    expect(await verify(await sign('EdDSA', ed.privateKey, {}, { kid: 'k2' }), settings)).toHaveProperty('claims');
    expect(await verify(await sign('Ed25519', ed.privateKey), settings)).toHaveProperty('claims');
    expect(await verify(await sign('EdDSA', ed.privateKey, {}, { kid: 'k1' }), settings)).toEqual({ refused: 'token-signature' });
  });

  it.each([
    ['without an algorithm', byHand({ alg: 'none' }, { exp: NOW, ...claims }), 'token-algorithm'],
    ['with "none" in another case', byHand({ alg: 'NoNe' }, { exp: NOW, ...claims }), 'token-algorithm'],
    ['with an algorithm that the app has no key for', byHand({ alg: 'HS512' }, { exp: NOW, ...claims }), 'token-algorithm'],
    ['by another secret', byHand({ alg: 'HS256' }, { exp: NOW, ...claims }, 'another'), 'token-signature'],
    ['with a key id that there is not', byHand({ alg: 'HS256', kid: 'k9' }, { exp: NOW, ...claims }), 'token-signature'],
    ['with a critical header that is not known', byHand({ alg: 'HS256', crit: ['x'], x: 1 }, { exp: NOW, ...claims }), 'token-signature'],
    ['without an end', byHand({ alg: 'HS256' }, claims), 'token-claims'],
    ['with an end that is none', byHand({ alg: 'HS256' }, { ...claims, exp: 'tomorrow' }), 'token-claims'],
    ['for nothing', byHand({ alg: 'HS256' }, { exp: NOW, act: 'play' }), 'token-claims'],
    ['for all apps', byHand({ alg: 'HS256' }, { exp: NOW, act: 'play', sub: '*' }), 'token-claims'],
    ['for another act', byHand({ alg: 'HS256' }, { exp: NOW, act: 'delete', sub: 'live/show' }), 'token-claims'],
    ['for an address that is none', byHand({ alg: 'HS256' }, { exp: NOW, ...claims, addr: 'here' }), 'token-claims'],
    ['with a wrong jti', byHand({ alg: 'HS256' }, { exp: NOW, ...claims, jti: 7 }), 'token-claims'],
    ['that is no JSON', byHand({ alg: 'HS256' }, 'no JSON'), 'token-claims'],
    ['that is a list', byHand({ alg: 'HS256' }, []), 'token-claims'],
    ['for another audience', byHand({ alg: 'HS256' }, { exp: NOW, ...claims, aud: 'bank' }), 'token-audience'],
    ['with a header that is none', `eyJ.${part(claims)}.x`, 'token-malformed'],
  ] as const)('%s is refused', async (_what, token, refused) => {
    expect(await make().verify(token)).toEqual({ refused });
  });

  it('that was changed is refused, whatever was changed', async () => {
    const { verify } = make();
    const [header = '', payload = '', signature = ''] = (await sign('HS256', secret(SECRET))).split('.');
    const other = part({ exp: NOW, sub: 'live/*', act: 'publish' });
    for (const token of [`${header}.${other}.${signature}`, `${header}.${payload}.`, `${header}.${payload}.${'A'.repeat(43)}`])
      expect(await verify(token)).toEqual({ refused: 'token-signature' });
  });

  it('signed with a public key as if it were a secret is refused', async () => {
    const { verify } = make();
    const material = pem(ec.publicKey);
    const settings = { ...NO_TOKENS, keys: [key('ES256', material)] };
    const token = byHand({ alg: 'HS256' }, { exp: NOW, ...claims }, material);
    expect(await verify(token, settings)).toEqual({ refused: 'token-algorithm' });
    expect(await verify(token, { ...settings, keys: [...settings.keys, key('HS256', SECRET, 'k2')] })).toEqual({
      refused: 'token-signature',
    });
  });

  it('is for the issuer and the audience that the app says', async () => {
    const { verify } = make();
    const settings = { ...hs256, issuer: 'https://a.example', audience: 'tv' };
    expect(await verify(await sign('HS256', secret(SECRET), { iss: 'https://a.example', aud: ['x', 'tv'] }), settings)).toHaveProperty(
      'claims',
    );
    expect(await verify(await sign('HS256', secret(SECRET), { iss: 'https://b.example', aud: 'tv' }), settings)).toEqual({
      refused: 'token-issuer',
    });
    expect(await verify(await sign('HS256', secret(SECRET), { aud: 'tv' }), settings)).toEqual({ refused: 'token-issuer' });
    expect(await verify(await sign('HS256', secret(SECRET), { iss: 'https://a.example' }), settings)).toEqual({
      refused: 'token-audience',
    });
    expect(await verify(await sign('HS256', secret(SECRET), { aud: 'sluice' }))).toHaveProperty('claims');
  });
});

describe('tokens that were checked', () => {
  it('are judged at once when they are signed with a secret', async () => {
    const { verifier } = make();
    const verdicts: TokenVerdict[] = [];
    verifier.verify('live', hs256, await sign('HS256', secret(SECRET)), (verdict) => verdicts.push(verdict));
    verifier.verify('live', hs256, await sign('HS256', secret('another')), (verdict) => verdicts.push(verdict));
    expect(verdicts).toMatchObject([{ claims: { stream: 'live/show' } }, { refused: 'token-signature' }]);
  });

  it('are known at once until they lapse, for their app and with its keys as they were', async () => {
    const { verifier, verify, clock } = make(2);
    const es256: TokenSettings = { ...NO_TOKENS, keys: [key('ES256', pem(ec.publicKey))] };
    const token = await sign('ES256', ec.privateKey);
    await verify(token, es256);
    let isKnown = false;
    verifier.verify('live', es256, token, () => {
      isKnown = true;
    });
    expect(isKnown).toBe(true);
    expect(
      await verify(token, { ...NO_TOKENS, keys: [key('ES256', pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey))] }),
    ).toEqual({
      refused: 'token-signature',
    });
    expect(await verify(token, { ...NO_TOKENS }, 'other')).toEqual({ refused: 'token-algorithm' });
    for (let nth = 0; nth < 5; nth++) await verify(await sign('HS256', secret(SECRET), { jti: `t${nth}` }));
    expect(verifier.size).toBe(2);
    await verify(token, es256);
    clock.wall = NOW + 61_000;
    isKnown = false;
    verifier.verify('live', es256, token, () => {
      isKnown = true;
    });
    expect(isKnown).toBe(false);
  });
});

describe('a key set', () => {
  async function serve(answer: () => { status: number; body: string }): Promise<{ url: string; asked: () => number }> {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      const { status, body } = answer();
      response.writeHead(status).end(body);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, asked: () => asked };
  }

  it('is asked for public keys, once, and never for a secret', async () => {
    const { verify } = make();
    const jwk = { ...(await exportJWK(ec.publicKey)), kid: 'a', alg: 'ES256' };
    const body = JSON.stringify({ keys: [jwk, { kty: 'oct', k: part(SECRET), kid: 's', alg: 'HS256' }] });
    const { url, asked } = await serve(() => ({ status: 200, body }));
    const settings = { ...NO_TOKENS, jwksUrl: url };
    expect(await verify(await sign('ES256', ec.privateKey, {}, { kid: 'a' }), settings)).toHaveProperty('claims');
    expect(await verify(await sign('ES256', ec.privateKey, { jti: '2' }), settings)).toHaveProperty('claims');
    expect(await verify(await sign('ES256', ec.privateKey, {}, { kid: 'b' }), settings)).toEqual({ refused: 'token-signature' });
    expect(await verify(await sign('HS256', secret(SECRET), {}, { kid: 's' }), settings)).toEqual({ refused: 'token-algorithm' });
    expect(asked()).toBe(1);
  });

  it.each([
    [500, ''],
    [302, ''],
    [200, 'no JSON'],
    [200, '{"keys":7}'],
    [200, 'x'.repeat(300_000)],
  ])('that answers %i is not to be had', async (status, body) => {
    const { verify } = make();
    const { url } = await serve(() => ({ status, body }));
    expect(await verify(await sign('ES256', ec.privateKey), { ...NO_TOKENS, jwksUrl: url })).toEqual({ refused: 'token-keys-unavailable' });
  });

  it('at an address that must not be reached is not fetched', async () => {
    const verifier = new TokenVerifier({ policy: new UrlPolicy({ allowedNetworks: [], allowedFolders: [] }), wall: () => NOW });
    const { url, asked } = await serve(() => ({ status: 200, body: '{"keys":[]}' }));
    const token = await sign('ES256', ec.privateKey);
    for (const jwksUrl of [url, url.replace('127.0.0.1', 'localhost')]) {
      const verdict = await new Promise((resolve) => verifier.verify('live', { ...NO_TOKENS, jwksUrl }, token, resolve));
      expect(verdict).toEqual({ refused: 'token-keys-unavailable' });
    }
    expect(asked()).toBe(0);
  });
});

describe('whatever is given as a token', () => {
  it('gets an answer, and nothing that was not signed is taken', async () => {
    const { verify } = make();
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(fc.json(), fc.json()).map(([header, payload]) => `${part(header)}.${part(payload)}.${part('x')}`),
      fc.record({ alg: fc.constantFrom('HS256', 'ES256', 'EdDSA', 'none', ''), kid: fc.anything() }).map((header) => {
        const text = JSON.stringify(header) ?? '';
        return `${part(text)}.${part({ ...claims, exp: NOW })}.`;
      }),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await verify(text)).toHaveProperty('refused');
      }),
      { numRuns: FUZZ_RUNS },
    );
    await fc.assert(
      fc.asyncProperty(fc.json(), async (payload) => {
        const verdict = await verify(byHand({ alg: 'HS256' }, payload));
        expect('refused' in verdict || verdict.claims.exp >= 0).toBe(true);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});
