import { describe, expect, it } from 'vitest';
import { difference } from './difference.ts';

const text = (before: unknown, after: unknown): string[] =>
  difference(before, after).map((line) => `${line.kind === 'gone' ? '-' : '+'} ${line.text}`);

describe('what changed', () => {
  it('leaves out what stayed', () => {
    const before = { name: 'news', note: '', playback: { policy: 'public', domains: [] } };
    expect(text(before, { ...before, note: 'x', playback: { policy: 'token', domains: [] } })).toEqual([
      '- note: ""',
      '+ note: "x"',
      '- playback.policy: "public"',
      '+ playback.policy: "token"',
    ]);
  });

  it('shows all of what was made or deleted', () => {
    expect(text(undefined, { id: 'a', scopes: ['read'] })).toEqual(['+ id: "a"', '+ scopes: ["read"]']);
    expect(text({ id: 'a' }, undefined)).toEqual(['- id: "a"']);
    expect(text(undefined, undefined)).toEqual([]);
    expect(text('x', 3)).toEqual(['- "x"', '+ 3']);
  });

  it('knows the items of a list by their ids, wherever they stand', () => {
    const [a, b] = [
      { id: 'a', algorithm: 'HS256' },
      { id: 'b', algorithm: 'EdDSA' },
    ];
    expect(text({ keys: [a, b] }, { keys: [b] })).toEqual(['- keys.a.id: "a"', '- keys.a.algorithm: "HS256"']);
  });

  it('shows the parts of what is set for the first time, or no more, and not what is unset in it', () => {
    const limits = { streams: null, viewers: 500 };
    const options = { under: 'apps.news.limits', isNullUnset: true };
    expect(difference(null, limits, options)).toEqual([{ kind: 'new', text: 'apps.news.limits.viewers: 500' }]);
    expect(difference(limits, null, options)).toEqual([{ kind: 'gone', text: 'apps.news.limits.viewers: 500' }]);
    expect(difference('a', 'b', { under: 'apps.news.note' }).map((line) => line.text)).toEqual([
      'apps.news.note: "a"',
      'apps.news.note: "b"',
    ]);
  });

  it('is cut where it is very long', () => {
    expect(difference(undefined, { text: 'x'.repeat(10_000) })[0]?.text.length).toBeLessThan(500);
    expect(difference(undefined, Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, 1])))).toHaveLength(200);
  });
});
