import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLayerList } from './layer-list.ts';

describe('a list of layers', () => {
  it('is read from what the server says', () => {
    const layers = [
      { encodingId: 'source', width: 1280, height: 720, bitrate: 2_000_000, active: true },
      { encodingId: 'l', bitrate: 0 },
    ];
    expect(parseLayerList(JSON.stringify({ active: 'source', automatic: false, reason: 'pinned', layers }))).toEqual({
      active: 'source',
      automatic: false,
      reason: 'pinned',
      layers: [
        { encodingId: 'source', height: 720 },
        { encodingId: 'l', height: 0 },
      ],
    });
  });

  it('says when a new session is to be made', () => {
    expect(parseLayerList('{"layers":[],"reconnect":true}')?.reconnect).toBe(true);
    expect(parseLayerList('{"layers":[],"reconnect":"yes"}')).not.toHaveProperty('reconnect');
  });

  it('leaves out what is none', () => {
    const layers = [null, 'l', {}, { encodingId: 1 }, { encodingId: '' }, { encodingId: 'l', height: -1 }];
    expect(parseLayerList(JSON.stringify({ layers }))).toEqual({
      active: '',
      automatic: true,
      reason: '',
      layers: [{ encodingId: 'l', height: 0 }],
    });
    expect(parseLayerList(JSON.stringify({ layers: Array.from({ length: 1000 }, () => ({ encodingId: 'l' })) }))?.layers).toHaveLength(32);
  });

  it.each(['', '{', 'null', '[]', '{}', '{"layers":{}}'])('is not in %j', (text) => expect(parseLayerList(text)).toBeUndefined());

  it('is read from anything without a fault', () => {
    const shape = fc.record({
      active: fc.jsonValue(),
      automatic: fc.jsonValue(),
      reason: fc.jsonValue(),
      layers: fc.array(fc.jsonValue()),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          shape.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const read = parseLayerList(text);
          for (const { encodingId, height } of read?.layers ?? []) {
            expect(encodingId).not.toBe('');
            expect(height).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});
