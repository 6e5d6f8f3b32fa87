import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../core/mod.ts';
import { cleanText, verdictOf } from './hook-answer.ts';
import { decodeWebhook, encodeWebhook } from './webhook-record.ts';
import { admissionHook, eventsHook } from './webhook-records.fixture.ts';
import { signatureOf } from './webhook-signature.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const decode = (value: unknown) => decodeWebhook(utf8Encode(JSON.stringify(value)));

describe('a webhook in the store', () => {
  it('is read as it was written', () => {
    for (const hook of [
      admissionHook('a'),
      eventsHook('e', {
        secrets: [
          { secret: 'new', expiresAtMs: undefined },
          { secret: 'old', expiresAtMs: 5 },
        ],
      }),
    ])
      expect(decodeWebhook(encodeWebhook(hook))).toEqual(hook);
  });

  it('that cannot be read whole refuses rather than allows, and asks within bounds', () => {
    const read = decode({
      ...admissionHook('a'),
      whenDown: 'perhaps',
      timeoutMs: 1e9,
      cacheS: 0,
      secrets: [{ secret: 's', expiresAtMs: 'x' }, 7],
    });
    expect(read).toMatchObject({ whenDown: 'refuse', timeoutMs: 10_000, cacheS: 5, secrets: [{ secret: 's', expiresAtMs: 0 }] });
    expect(decode({ ...eventsHook('e'), types: ['stream.started', 'made.up'] })).toMatchObject({ types: ['stream.started'] });
    expect(decode({ ...admissionHook('a'), kind: 'other' })).toBeUndefined();
    expect(decode({ ...admissionHook('a'), v: 'x' })).toBeUndefined();
  });

  it('of newer software is known, and an admission hook that cannot be read is for all, and lets nobody in', () => {
    expect(decode({ ...eventsHook('e'), v: 2 })).toEqual({ ...eventsHook('e'), isNewer: true });
    const { id, app, kind, url } = admissionHook('a');
    expect(decode({ v: 2, id, app, kind, url, acts: { all: true }, whenDown: 'ask-another' })).toMatchObject({
      isNewer: true,
      isEnabled: true,
      acts: ['publish', 'play'],
      whenDown: 'refuse',
    });
  });

  it('of any other form does no harm', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('id', 'app', 'url', 'kind', 'secrets', 'acts', 'types', 'timeoutMs'), fc.jsonValue()),
        (fields) => {
          const read = decode({ v: 1, ...fields });
          if (read !== undefined) expect(decodeWebhook(encodeWebhook(read))).toEqual(read);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('the answer of an admission hook', () => {
  it.each([
    [204, '', 'allowed'],
    [200, '{"allow": true}', 'allowed'],
    [201, '{"allow": true, "more": 1}', 'allowed'],
    [200, '{"allow": false}', 'refused'],
    [403, '', 'refused'],
    [403, '{"allow": true}', 'refused'],
    [200, '', 'down'],
    [200, '{"allow": "true"}', 'down'],
    [200, '[true]', 'down'],
    [200, 'null', 'down'],
    [401, '{"allow": true}', 'down'],
    [500, '{"allow": true}', 'down'],
  ])('%i %s is taken as %s', (status, body, kind) => {
    expect(verdictOf({ status, body }).kind).toBe(kind);
  });

  it('gives a reason of one short, printable line', () => {
    const reason = 'a\r\nX-Evil: 1\u0000\u202E\u2028<b>  end';
    expect(verdictOf({ status: 403, body: JSON.stringify({ reason }) })).toEqual({ kind: 'refused', reason: 'a X-Evil: 1 <b> end' });
    expect(verdictOf({ status: 403, body: JSON.stringify({ reason: 'x'.repeat(10_000) }) })).toEqual({
      kind: 'refused',
      reason: 'x'.repeat(200),
    });
    expect(verdictOf({ status: 403, body: JSON.stringify({ reason: 7 }) })).toEqual({ kind: 'refused', reason: '' });
  });

  it('never gets unprintable characters through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(300), (text, lengthMax) => {
        const clean = cleanText(text, lengthMax);
        expect(clean).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(Array.from(clean).length).toBeLessThanOrEqual(lengthMax);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the signature of a request', () => {
  it('is over the time and the body, by each secret that still counts', () => {
    const hmac = (secret: string, text: string): string => `${secret}(${text})`;
    const secrets = [
      { secret: 'new', expiresAtMs: undefined },
      { secret: 'old', expiresAtMs: 10_000 },
    ];
    expect(signatureOf(secrets, '{}', 9_999, hmac)).toBe('t=9,v1=new(9.{}),v1=old(9.{})');
    expect(signatureOf(secrets, '{}', 10_000, hmac)).toBe('t=10,v1=new(10.{})');
  });
});
