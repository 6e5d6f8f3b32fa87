import { createHmac } from 'node:crypto';
import { NO_TOKENS, type TokenSettings, type TokenVerdict, UrlPolicy } from '../src/access/mod.ts';
import { TokenVerifier } from '../src/io/mod.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';

const TOKENS = 20_000;
const SECRET = 'a-secret-of-this-app-that-is-long-enough-0123';
const SETTINGS: TokenSettings = { ...NO_TOKENS, keys: [{ id: 'k1', algorithm: 'HS256', material: SECRET, createdAtMs: 0 }] };
const BAR = { atMost: 50 } as const;

/** How long the check of a signed token takes, one after the other on one core. */
export const tokenCheck: BenchCase = {
  name: 'token-check',
  run: async () => {
    const policy = new UrlPolicy({ allowedNetworks: [], allowedFolders: [] });
    const verifier = new TokenVerifier({ policy, wall: () => Date.now(), cachedMax: TOKENS });
    const tokens = Array.from({ length: TOKENS }, (_, nth) => signed(nth));
    // As many of another app make the code warm.
    for (const token of tokens) check(verifier, 'warm', token);
    return [row('Token check: HS256, not seen before', verifier, tokens), row('Token check: HS256, known', verifier, tokens)];
  },
};

function row(name: string, verifier: TokenVerifier, tokens: readonly string[]): BenchRow {
  const times = new Float64Array(tokens.length);
  const before = process.cpuUsage();
  for (const [nth, token] of tokens.entries()) {
    const atMs = performance.now();
    check(verifier, 'live', token);
    times[nth] = (performance.now() - atMs) * 1000;
  }
  const { user, system } = process.cpuUsage(before);
  const meanUs = (user + system) / tokens.length;
  times.sort();
  const at = (share: number): number => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10;
  return {
    name,
    value: Math.round(meanUs * 10) / 10,
    unit: 'µs',
    bar: BAR,
    note: `CPU time, mean of ${tokens.length}; by the clock p50 ${at(0.5)}, p99 ${at(0.99)} µs; the signature and what the claims say, in this process`,
  };
}

function check(verifier: TokenVerifier, app: string, token: string): void {
  let verdict: TokenVerdict | undefined;
  verifier.verify(app, SETTINGS, token, (told) => {
    verdict = told;
  });
  if (verdict === undefined || !('claims' in verdict)) throw new Error('a right token was refused');
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(nth: number): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const body = `${part({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${part({ stream: 'live/show', act: 'play', jti: `viewer-${nth}`, exp })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}
