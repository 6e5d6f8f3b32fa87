import { describe, expect, it } from 'vitest';
import { makerOf, readStreamBody } from './stream-record.ts';

const said = { startedWallMs: 5, state: 'live', protocol: 'rtmp', tracks: [], renditions: ['720p', 'opus'] };

describe('who makes the renditions of a stream', () => {
  it('is read from its record', () => {
    const body = readStreamBody({ ...said, makers: { '720p': { node: 'n2', incarnation: 3, since: 'later' } } });
    expect(body?.makers).toEqual({ '720p': { node: 'n2', incarnation: 3 } });
    expect(body && makerOf(body, '720p')).toEqual({ node: 'n2', incarnation: 3 });
    expect(body && makerOf(body, 'opus')).toBeUndefined();
  });

  it.each([[undefined], [null], ['n2'], [[]], [{}], [{ opus: null }], [{ opus: { node: 2, incarnation: 1 } }], [{ opus: { node: 'n2' } }]])(
    'is its origin where the record says %j',
    (makers) => {
      const body = readStreamBody({ ...said, makers });
      expect(body).toBeDefined();
      expect(body).not.toHaveProperty('makers');
    },
  );

  it('is nobody for names that every object has', () => {
    const body = readStreamBody({ ...said, makers: { '720p': { node: 'n2', incarnation: 3 } } });
    expect(body && makerOf(body, 'constructor')).toBeUndefined();
  });
});
