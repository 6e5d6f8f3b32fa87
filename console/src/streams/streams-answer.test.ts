import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStreams } from './streams-answer.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

describe('answer of the streams API', () => {
  it('is read with what the list shows', () => {
    const answer = {
      items: [
        {
          app: 'live',
          name: 'show',
          state: 'held',
          startedAt: '2026-01-02T03:04:05.000Z',
          tracks: [
            { kind: 'video', codec: 'h264', width: 1280, height: 720 },
            { kind: 'audio', codec: 'aac' },
          ],
          viewers: { total: 3, hls: 3 },
          bitrateBps: 2_500_000,
        },
      ],
      nextCursor: 'abc',
    };
    expect(parseStreams(answer)).toEqual({
      items: [
        {
          app: 'live',
          name: 'show',
          state: 'held',
          startedMs: Date.UTC(2026, 0, 2, 3, 4, 5),
          tracks: [
            { kind: 'video', codec: 'h264', width: 1280, height: 720 },
            { kind: 'audio', codec: 'aac' },
          ],
          viewers: 3,
          bitrateBps: 2_500_000,
        },
      ],
      nextCursor: 'abc',
    });
  });
  it('is refused when it is no list, and an item without a name is left out', () => {
    expect(parseStreams({ title: 'Not Found', status: 404 })).toBeUndefined();
    expect(parseStreams({ items: [{ app: 'live' }, null, 7] })).toEqual({ items: [], nextCursor: undefined });
  });
  it('never throws, whatever it is', () => {
    const item = fc.record(
      { app: fc.string(), name: fc.string(), startedAt: fc.anything(), tracks: fc.anything(), viewers: fc.anything() },
      { requiredKeys: ['app'] },
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.record({ items: fc.array(fc.oneof(item, fc.jsonValue())), nextCursor: fc.jsonValue() })),
        (answer) => {
          for (const stream of parseStreams(answer)?.items ?? []) expect(stream.viewers).not.toBeNaN();
        },
      ),
      { numRuns },
    );
  });
});
