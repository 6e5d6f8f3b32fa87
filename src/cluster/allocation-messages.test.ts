import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../core/mod.ts';
import {
  type AllocationNews,
  type AllocationOrders,
  type AllocationReport,
  decodeAllocationNews,
  decodeAllocationOrders,
  decodeAllocationReport,
  encodeAllocationNews,
  encodeAllocationOrders,
  encodeAllocationReport,
} from './allocation-messages.ts';
import { BUS_MESSAGE_BYTES_MAX } from './bus.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const watched = {
  stream: 'live/a',
  rung: '720p',
  viewers: 3,
  kind: 'video',
  codec: 'h264',
  width: 1280,
  height: 720,
  frameRate: 30,
} as const;
const order = { stream: 'live/a', rung: '720p', node: 'n1', reason: 'room', message: 'node n1 has room for it' };
const report: AllocationReport = {
  v: 1,
  node: 'n1',
  incarnation: 2,
  offer: { tasksMax: 4, cpuMax: 2.5, costs: { 'h264-1280x720-30': 0.4 }, hardwareCodecs: ['h264'] },
  watched: [watched],
  audiences: [
    { stream: 'live/b', viewers: 70 },
    { stream: 'live/a', viewers: 4 },
  ],
};
const orders: AllocationOrders = { v: 1, epoch: 7, rungs: [order, { ...order, stream: 'live/b', node: undefined, reason: 'limit' }] };
const news: AllocationNews = {
  v: 1,
  epoch: 7,
  leader: 'n9',
  decided: [{ ...order, atWallMs: 1_700_000_000_000, epoch: 7, viewers: 3, score: 4.5 }],
  pool: { nodes: [{ node: 'n1', state: 'active', tasks: 1, tasksMax: 4 }], waiting: 2 },
};

describe('messages of the allocation', () => {
  it('come back as they were sent', () => {
    expect(decodeAllocationReport(encodeAllocationReport(report))).toEqual(report);
    const quiet = { ...report, offer: undefined, watched: [], audiences: [] };
    expect(decodeAllocationReport(encodeAllocationReport(quiet))).toEqual(quiet);
    expect(decodeAllocationOrders(encodeAllocationOrders(orders))).toEqual(orders);
    expect(decodeAllocationNews(encodeAllocationNews(news))).toEqual(news);
    expect(decodeAllocationNews(encodeAllocationNews({ ...news, pool: undefined }))?.pool).toBeUndefined();
  });

  it('fit on the bus however much there is to say', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => ({ ...watched, ...order, stream: `live/${'x'.repeat(50)}-${index}` }));
    const audiences = many.map(({ stream }, viewers) => ({ stream, viewers }));
    const sent = [encodeAllocationReport({ ...report, watched: many, audiences }), encodeAllocationOrders({ ...orders, rungs: many })];
    for (const bytes of sent) expect(bytes.length).toBeLessThan(BUS_MESSAGE_BYTES_MAX);
    expect(decodeAllocationOrders(sent[1] as Uint8Array)?.rungs.length).toBeGreaterThan(1_000);
    const told = decodeAllocationReport(sent[0] as Uint8Array)?.audiences ?? [];
    expect(told).toEqual(audiences.slice(-told.length).toReversed());
    expect(told.length).toBeGreaterThan(400);
  });

  it('are read from anything without throwing, and what cannot be read is left out', () => {
    const value = fc.jsonValue();
    const message = fc.record({
      v: fc.constant(1),
      node: value,
      incarnation: value,
      offer: value,
      watched: value,
      epoch: value,
      leader: value,
      rungs: value,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          message.map((fields) => utf8Encode(JSON.stringify(fields))),
        ),
        (bytes) => {
          for (const decode of [decodeAllocationReport, decodeAllocationOrders, decodeAllocationNews]) decode(bytes);
        },
      ),
      { numRuns },
    );
    const text = '{"v":1,"epoch":3,"rungs":[["live/a","720p","","limit"],["no-slash","720p","n1","room"],["live/b"],7,{}]}';
    expect(decodeAllocationOrders(utf8Encode(text))?.rungs).toEqual([
      { stream: 'live/a', rung: '720p', node: undefined, reason: 'limit', message: '' },
    ]);
  });
});
