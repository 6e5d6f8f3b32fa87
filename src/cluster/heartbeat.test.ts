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

const encodeBinary = (one: Heartbeat): Uint8Array => new HeartbeatWriter(one.id).write(one.incarnation, one.sentMs, one);

/** Each of them is an amount. */
function expectFigures({ id, viewers, ...figures }: Partial<Heartbeat>): void {
  for (const figure of [...Object.values(figures), ...Object.values(viewers ?? {})])
    expect(typeof figure === 'number' && figure >= 0 && Number.isFinite(figure)).toBe(true);
  expect(id).toBe('n1');
}

describe('a heartbeat', () => {
  it('says the same in binary and in JSON, in less than half of the bytes', () => {
    const [json, binary] = [encodeHeartbeat(heartbeat), encodeBinary(heartbeat)];
    expect(decodeHeartbeat(json)).toEqual(heartbeat);
    expect(decodeHeartbeat(binary)).toEqual(heartbeat);
    expect(binary.length).toBeLessThan(json.length * 0.4);
  });

  it('says what is new, whether its figures are those of before or not', () => {
    const writer = new HeartbeatWriter('n1');
    const busier = { ...heartbeat, cpu: 0.5 };
    for (const [at, sentMs] of [0, 1, 255, 256, 1_767_225_600_000, 2 ** 48 - 1].entries())
      for (const load of [heartbeat, heartbeat, busier, heartbeat])
        for (const incarnation of [4, 4, 127 + at, 128, 2 ** 40])
          expect(decodeHeartbeat(writer.write(incarnation, sentMs, load))).toEqual({ ...load, incarnation, sentMs });
  });

  it('has figures as finely as they are measured, and 0 for what is none', () => {
    const odd = {
      cpu: 1.7,
      memoryBytes: -5,
      networkInBps: Number.NaN,
      networkOutBps: 1e300,
      loopLagMs: 0.26,
      streams: 2.6,
      latencyP95Ms: 12.34,
    };
    expect(decodeHeartbeat(encodeBinary({ ...heartbeat, ...odd }))).toEqual({
      ...heartbeat,
      ...{
        cpu: 1,
        memoryBytes: 0,
        networkInBps: 0,
        networkOutBps: Number.MAX_SAFE_INTEGER,
        loopLagMs: 0.3,
        streams: 3,
        latencyP95Ms: 12.3,
      },
    });
  });

  it('is read with fewer or more figures than are known, and not when one has no end', () => {
    const binary = encodeBinary(heartbeat);
    expect(decodeHeartbeat(binary.subarray(0, binary.length - 1))).toEqual({ ...heartbeat, latencyP95Ms: 0 });
    expect(decodeHeartbeat(new Uint8Array([...binary, 200, 1, 7]))).toEqual(heartbeat);
    expect(decodeHeartbeat(new Uint8Array([...binary.subarray(0, binary.length - 1), 0x80]))).toBeUndefined();
    for (let length = 0; length < 11; length++) expect(decodeHeartbeat(binary.subarray(0, length))).toBeUndefined();
  });

  it('in JSON needs a reader of version 2, and is read with fewer or more figures than are known', () => {
    const fields = JSON.parse(utf8Decode(encodeHeartbeat(heartbeat))) as { v: number; load: number[] };
    const read = (change: object): Heartbeat | undefined => decodeHeartbeat(utf8Encode(JSON.stringify({ ...fields, ...change })));
    expect(fields.v).toBe(2);
    expect(read({ v: 3 })).toBeUndefined();
    expect(read({ load: undefined })).toBeUndefined();
    expect(read({ load: [0.5, 9] })).toMatchObject({ id: 'n1', cpu: 0.5, memoryBytes: 9, viewersMax: 0, viewers: { hls: 0 } });
    expect(read({ load: [...fields.load, 1, 2, 3] })).toEqual(heartbeat);
  });

  it('has no figure that is none, whatever is in it', () => {
    const head = encodeBinary(heartbeat).subarray(0, 11);
    const fields = JSON.parse(utf8Decode(encodeHeartbeat(heartbeat))) as object;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.jsonValue()), (bytes, load) => {
        expectFigures(decodeHeartbeat(utf8Encode(JSON.stringify({ ...fields, load }))) ?? {});
        const read = decodeHeartbeat(new Uint8Array([...head, ...bytes]));
        if (read !== undefined) expectFigures(read);
        decodeHeartbeat(new Uint8Array([3, ...bytes]));
      }),
      { numRuns },
    );
  });
});
