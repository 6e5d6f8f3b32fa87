import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from '../core/mod.ts';
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, HeartbeatWriter } from './heartbeat.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

const heartbeat: Heartbeat = {
  v: 1,
  id: 'n1',
  incarnation: 3,
  sentMs: 1_767_225_600_000,
  cpu: 0.125,
  memoryBytes: 1e9,
  memoryMaxBytes: 16e9,
  networkInBps: 1e8,
  networkOutBps: 2e8,
  networkMaxBps: 1e10,
  loopLagMs: 1.5,
  viewers: { flv: 1, rtmp: 2, hls: 3, webrtc: 4 },
  viewersMax: 10_000,
  streams: 5,
  tasks: 6,
  tasksMax: 7,
  diskFreeBytes: 1e11,
  mediaInBps: 5e6,
  mediaOutBps: 6e6,
  latencyP50Ms: 2,
  latencyP95Ms: 8.5,
};

const encodeListedHeartbeat = (one: Heartbeat): Uint8Array => new HeartbeatWriter(one.id).write(one.incarnation, one.sentMs, one);

describe('a heartbeat', () => {
  it('says the same with named figures and with a list of them, which is half as long', () => {
    const [named, listed] = [encodeHeartbeat(heartbeat), encodeListedHeartbeat(heartbeat)];
    expect(decodeHeartbeat(named)).toEqual(heartbeat);
    expect(decodeHeartbeat(listed)).toEqual(heartbeat);
    expect(listed.length).toBeLessThan(named.length * 0.55);
  });

  it('with a list says what is new, whether its figures are those of before or not', () => {
    const writer = new HeartbeatWriter('n1');
    const busier = { ...heartbeat, cpu: 0.5 };
    const times = [0, 1, 1_767_225_600_000, 1_767_225_600_001, 9_999_999_999_999, 10_000_000_000_000, 1_000_000_000_000, 5, 1_767_225_699_999];
    for (const [at, sentMs] of times.entries())
      for (const load of [heartbeat, heartbeat, busier, heartbeat])
        for (const incarnation of [4, 4, 5 + at])
          expect(decodeHeartbeat(writer.write(incarnation, sentMs, load))).toEqual({ ...load, incarnation, sentMs });
  });

  it('with a list needs a reader of version 2, and is read with fewer or more figures than are known', () => {
    const fields = JSON.parse(utf8Decode(encodeListedHeartbeat(heartbeat))) as { v: number; load: number[] };
    const read = (change: object): Heartbeat | undefined => decodeHeartbeat(utf8Encode(JSON.stringify({ ...fields, ...change })));
    expect(fields.v).toBe(2);
    expect(read({ v: 3 })).toBeUndefined();
    expect(read({ load: [0.5, 9] })).toMatchObject({ id: 'n1', cpu: 0.5, memoryBytes: 9, viewersMax: 0, viewers: { hls: 0 } });
    expect(read({ load: [...fields.load, 1, 2, 3] })).toEqual(heartbeat);
  });

  it('has no figure that is none, whatever is in the list', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (load) => {
        const fields = JSON.parse(utf8Decode(encodeListedHeartbeat(heartbeat))) as object;
        const { id, viewers, ...figures } = decodeHeartbeat(utf8Encode(JSON.stringify({ ...fields, load }))) ?? {};
        expect(id).toBe('n1');
        for (const figure of [...Object.values(figures), ...Object.values(viewers ?? {})])
          expect(typeof figure === 'number' && figure >= 0 && Number.isFinite(figure)).toBe(true);
      }),
      { numRuns },
    );
  });
});
