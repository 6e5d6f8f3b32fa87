import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { ChunkReader, type ChunkReaderLimits, defaultChunkReaderLimits } from './chunk-reader.ts';
import { ChunkWriter, chunkMessage, chunkMessageParts, INITIAL_CHUNK_SIZE } from './chunk-writer.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

interface Message {
  typeId: number;
  timestamp: number;
  messageStreamId: number;
  body: number[];
}

function readAll(pieces: Iterable<Uint8Array>, limits?: Partial<ChunkReaderLimits>): Message[] {
  const messages: Message[] = [];
  const reader = new ChunkReader(
    { message: (typeId, timestamp, messageStreamId, body) => messages.push({ typeId, timestamp, messageStreamId, body: [...body] }) },
    { ...defaultChunkReaderLimits, ...limits },
  );
  for (const piece of pieces) reader.receive(piece);
  return messages;
}

function* split(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const join = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]));
const bytesOf = (...values: (number | readonly number[])[]): Uint8Array => Uint8Array.from(values.flat());
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
};
const bodyOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index * 7);

describe('ChunkReader', () => {
  it('reads what the writer makes, whatever the chunk size, timestamp and splits', () => {
    const message = fc.record({
      typeId: fc.constantFrom(8, 9, 18, 20),
      timestamp: fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0xfffffe, 0xffffff, 0x1000000, 0xffffffff)),
      messageStreamId: fc.constantFrom(0, 1, 0x01020304),
      body: fc.integer({ min: 0, max: 700 }).map((length) => [...bodyOf(length)]),
      chunkStreamId: fc.integer({ min: 3, max: 63 }),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
        (messages, chunkSize, sizes) => {
          const announce = new ChunkWriter().message(2, 1, 0, 0, bytesOf(0, 0, chunkSize >> 8, chunkSize & 255));
          const chunks = messages.map((it) =>
            chunkMessage(chunkSize, it.chunkStreamId, it.typeId, it.timestamp, it.messageStreamId, Uint8Array.from(it.body)),
          );
          const expected = messages.map(({ chunkStreamId: _, ...rest }) => rest);
          expect(readAll(split(join([announce, ...chunks]), sizes))).toEqual(expected);
        },
      ),
      { numRuns },
    );
  });

  it('makes the same chunks of a body in pieces', () => {
    const body = bodyOf(1000);
    const parts = [body.subarray(0, 5), body.subarray(5, 300), body.subarray(300)];
    expect(chunkMessageParts(128, 6, 9, 0x1234567, 1, parts)).toEqual(chunkMessage(128, 6, 9, 0x1234567, 1, body));
  });

  it('adds the deltas of fmt 1, 2 and 3 and wraps at 32 bits', () => {
    const stream = join([
      bytesOf(0x04, [0xff, 0xff, 0xff], [0, 0, 1], 8, [1, 0, 0, 0], [0xff, 0xff, 0xff, 0xf0], 0xaa),
      bytesOf(0x44, [0, 0, 10], [0, 0, 2], 9, 0xbb, 0xbc),
      bytesOf(0x84, [0, 0, 20], 0xcc, 0xcd),
      bytesOf(0xc4, 0xdd, 0xde),
    ]);
    expect(readAll(split(stream, [1])).map(({ typeId, timestamp, body }) => [typeId, timestamp, body.length])).toEqual([
      [8, 0xfffffff0, 1],
      [9, 0xfffffffa, 2],
      [9, 14, 2],
      [9, 34, 2],
    ]);
  });

  it('takes a fmt 3 message after fmt 0 to repeat the timestamp as its delta', () => {
    const stream = join([bytesOf(0x04, [0, 0, 40], [0, 0, 1], 8, [1, 0, 0, 0], 1), bytesOf(0xc4, 2)]);
    expect(readAll([stream]).map((it) => it.timestamp)).toEqual([40, 80]);
  });

  it('reads chunk stream ids of two and three bytes', () => {
    const header = [[0, 0, 1], [0, 0, 1], 8, [1, 0, 0, 0], 7].flat();
    const messages = readAll([bytesOf(0x00, 0, header), bytesOf(0x01, 0xff, 0xff, header), bytesOf(0xc1, 0xff, 0xff, 9)]);
    expect(messages.map((it) => [it.timestamp, it.body])).toEqual([
      [1, [7]],
      [1, [7]],
      [2, [9]],
    ]);
  });

  it.each([[[1]], [[3]], [[5]], [[1000]]])(
    'copes with encoders that leave the extended timestamp out of fmt 3 chunks, split by %j',
    (sizes) => {
      const body = bodyOf(300);
      const complete = chunkMessage(INITIAL_CHUNK_SIZE, 4, 9, 0x01000000, 1, body);
      const cut = join([
        complete.subarray(0, 16 + 129),
        complete.subarray(16 + 133, 16 + 133 + 129),
        complete.subarray(16 + 133 + 129 + 4),
      ]);
      expect(cut.length).toBe(complete.length - 8);
      expect(readAll(split(cut, sizes))).toEqual([{ typeId: 9, timestamp: 0x01000000, messageStreamId: 1, body: [...body] }]);
    },
  );

  it('interleaves messages and drops an aborted one', () => {
    const video = chunkMessage(128, 6, 9, 1, 1, bodyOf(200));
    const audio = chunkMessage(128, 4, 8, 2, 1, bodyOf(20));
    const abort = new ChunkWriter().message(2, 2, 0, 0, bytesOf(0, 0, 0, 6));
    const interleaved = [video.subarray(0, 140), audio, video.subarray(140)];
    expect(readAll(interleaved).map((it) => it.typeId)).toEqual([8, 9]);
    expect(readAll([video.subarray(0, 140), abort, audio, video]).map((it) => it.typeId)).toEqual([8, 9]);
  });

  it('refuses what is above its limits', () => {
    const open = chunkMessage(128, 6, 9, 0, 1, bodyOf(1000)).subarray(0, 140);
    const other = chunkMessage(128, 7, 9, 0, 1, bodyOf(1000)).subarray(0, 140);
    expect(codeOf(() => readAll([open], { messageSizeMax: 999 }))).toBe('rtmp.message-too-long');
    expect(codeOf(() => readAll([open, other], { partialBytesMax: 1999 }))).toBe('rtmp.chunk-partial-bytes');
    expect(codeOf(() => readAll([open, other], { chunkStreamsMax: 1 }))).toBe('rtmp.chunk-streams');
    expect(codeOf(() => readAll([bytesOf(0xc5)]))).toBe('rtmp.chunk-without-header');
    for (const size of [
      [0, 0, 0, 0],
      [0x80, 0, 0, 1],
    ]) {
      expect(codeOf(() => readAll([new ChunkWriter().message(2, 1, 0, 0, bytesOf(size))]))).toBe('rtmp.chunk-size');
    }
  });

  it('answers arbitrary bytes with messages or a coded error, and holds no more than its limits', () => {
    const limits = { ...defaultChunkReaderLimits, messageSizeMax: 4096, partialBytesMax: 8192, chunkStreamsMax: 8 };
    const mutated = fc
      .tuple(fc.uint8Array({ maxLength: 300 }), fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 }))
      .map(([noise, changes]) => {
        const bytes = join([chunkMessage(128, 6, 9, 0xfffffff, 1, bodyOf(600)), noise, chunkMessage(128, 4, 8, 5, 1, bodyOf(300))]);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(mutated, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 4 }), (bytes, sizes) => {
        const reader = new ChunkReader({ message: (_type, _time, _stream, body) => expect(body.length).toBeLessThanOrEqual(4096) }, limits);
        codeOf(() => {
          for (const piece of split(bytes, sizes)) {
            reader.receive(piece);
            expect(reader.heldBytes).toBeLessThanOrEqual(8192 + 18);
          }
        });
      }),
      { numRuns },
    );
  });
});
