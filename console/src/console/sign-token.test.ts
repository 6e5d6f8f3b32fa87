import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { claimsOf, signSnippet, signToken } from './sign-token.ts';

const wish = { stream: 'news/show', act: 'play', holdsS: 3_600, addr: '', jti: 'viewer-1' } as const;

describe('a token of the console', () => {
  it('is one that libraries take', async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const token = await signToken({ ...claimsOf(wish, nowS), note: 'ä>?' }, 'k1', 'secret of the key');
    const { payload, protectedHeader } = await jwtVerify(token, new TextEncoder().encode('secret of the key'));
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'k1' });
    expect(payload).toEqual({ stream: 'news/show', act: 'play', exp: nowS + 3_600, jti: 'viewer-1', note: 'ä>?' });
    await expect(jwtVerify(token, new TextEncoder().encode('another'))).rejects.toThrow();
  });

  it('says only what was asked for', () => {
    expect(claimsOf({ ...wish, jti: '', addr: '192.0.2.0/24' }, 10)).toEqual({
      stream: 'news/show',
      act: 'play',
      exp: 3_610,
      addr: '192.0.2.0/24',
    });
    expect(signSnippet(wish, '')).toContain(`new SignJWT({"stream":"news/show","act":"play","jti":"viewer-1"})`);
    expect(signSnippet({ ...wish, stream: `a/'"` }, '')).toContain(String.raw`"a/'\""`);
  });
});
