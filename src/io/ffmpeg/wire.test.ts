import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { controlMessage, type PipedFrame, WireReader, writeFrame } from './wire.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

function reading(): { reader: WireReader; got: (PipedFrame | { control: unknown })[] } {
  const got: (PipedFrame | { control: unknown })[] = [];
  return { reader: new WireReader({ control: (control) => got.push({ control }), frame: (frame) => got.push(frame) }), got };
}

function bytesOf(frame: PipedFrame): Uint8Array {
  const chunks: Uint8Array[] = [];
  const pipe = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      chunks.push(Uint8Array.from(chunk));
      done();
    },
  });
  writeFrame(pipe, frame);
  return Buffer.concat(chunks);
}

const frames = fc.record({
  channel: fc.integer({ min: 0, max: 65_535 }),
  isKeyframe: fc.boolean(),
  dts: fc.maxSafeInteger(),
  pts: fc.maxSafeInteger(),
  captureMs: fc.option(fc.integer({ min: 0, max: 2 ** 45 }), { nil: undefined }),
  payload: fc.oneof(
    { arbitrary: fc.uint8Array({ maxLength: 300 }), weight: 9 },
    { arbitrary: fc.constant(new Uint8Array(5000).fill(7)), weight: 1 },
  ),
});

describe('the pipe to the child', () => {
  it('carries frames and control messages in order, however its bytes are cut', () => {
    const messages = fc.array(fc.oneof(frames, fc.record({ control: fc.record({ kind: fc.string() }) })), { maxLength: 20 });
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 97 }), (sent, chunkBytes) => {
        const bytes = Buffer.concat(sent.map((message) => ('control' in message ? controlMessage(message.control) : bytesOf(message))));
        const { reader, got } = reading();
        for (let offset = 0; offset < bytes.length; offset += chunkBytes) reader.receive(bytes.subarray(offset, offset + chunkBytes));
        expect(got).toEqual(sent);
      }),
      { numRuns },
    );
  });

  it('gives payloads as plain byte arrays, whole messages without a copy', () => {
    const { reader, got } = reading();
    const payload = Uint8Array.of(1, 2, 3);
    const bytes = Buffer.from(bytesOf({ channel: 0, isKeyframe: true, dts: 0, pts: 0, captureMs: undefined, payload }));
    reader.receive(bytes);
    expect((got[0] as PipedFrame).payload).toEqual(payload);
    expect((got[0] as PipedFrame).payload.constructor).toBe(Uint8Array);
    expect((got[0] as PipedFrame).payload.buffer).toBe(bytes.buffer);
  });

  it('leaves what waits in a slow pipe as it was written', () => {
    const chunks: Uint8Array[] = [];
    const calls: (() => void)[] = [];
    const pipe = new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        chunks.push(chunk);
        calls.push(done);
      },
    });
    const sent = [1, 2, 3].map((channel) => ({
      ...{ channel, isKeyframe: true, dts: channel, pts: channel, captureMs: undefined },
      payload: new Uint8Array(100).fill(channel),
    }));
    for (const frame of sent) writeFrame(pipe, frame);
    // Another pipe meanwhile takes everything at once.
    bytesOf({ channel: 9, isKeyframe: false, dts: 9, pts: 9, captureMs: undefined, payload: new Uint8Array(100).fill(9) });
    for (let call = calls.shift(); call !== undefined; call = calls.shift()) call();
    const { reader, got } = reading();
    for (const chunk of chunks) reader.receive(chunk);
    expect(got).toEqual(sent);
  });

  it('refuses what is too long, too short, of no kind or no JSON', () => {
    const refused = (...bytes: number[]): void => expect(() => reading().reader.receive(Uint8Array.from(bytes))).toThrow(ProtocolError);
    refused(0xff, 0, 0, 0);
    refused(0, 0, 0, 0);
    refused(0, 0, 0, 2, 2, 0);
    refused(0, 0, 0, 1, 9);
    refused(0, 0, 0, 2, 1, 0x7b);
  });

  it('throws nothing but ProtocolError, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (chunks) => {
        const { reader } = reading();
        try {
          // Lengths that are allowed, so that more than their check is met.
          for (const chunk of chunks) reader.receive(Uint8Array.of(0, 0, 0, chunk.length, ...chunk));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns },
    );
  });
});
