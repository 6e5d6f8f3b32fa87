import { setTimeout as sleep } from 'node:timers/promises';
import { type StreamBody, StreamDirectory } from '../src/cluster/mod.ts';
import { monotonicMs } from '../src/core/mod.ts';
import { TestNats } from '../src/io/coordination/nats-servers.fixture.ts';
import type { BenchCase } from './bench-case.ts';

const NODES = 20;
const STREAMS = 400;
const EACH_MS = 20;
const SETTLE_MS = 2_000;

const nothing = (): void => undefined;

/** The directories of twenty nodes, each with its own connection to a real NATS: from the moment that a publisher is accepted until the last one knows of it. */
export const directory: BenchCase = {
  name: 'directory',
  run: async () => {
    const nats = await TestNats.start(1);
    const seen = new Map<string, { readonly sinceMs: number; left: number; atMs: number }>();
    const clients = Array.from({ length: NODES }, () => nats.client('bench'));
    const directories = clients.map(
      ({ store, bus }, at) =>
        new StreamDirectory(
          {
            ...{ store, bus, own: { node: `node-${at}`, incarnation: 1 }, region: `region-${at % 4}` },
            nodes: {
              ...{ isAlive: () => true, regionOf: () => undefined, isDraining: () => false, isDisconnected: () => false },
              ...{ isJudging: true, isSweeper: false },
            },
            now: () => monotonicMs(performance.now()),
            ownState: () => 'live',
            secondPublisher: () => 'reject',
          },
          {
            ...{ pull: nothing, stop: nothing, held: nothing, evict: nothing, standBy: nothing },
            changed: (name) => {
              const one = seen.get(name);
              if (one === undefined || one.left === 0) return;
              one.left--;
              one.atMs = performance.now();
            },
          },
        ),
    );
    try {
      for (const each of directories) each.start();
      await sleep(SETTLE_MS);
      for (let index = 0; index < STREAMS; index++) {
        const name = `live/stream-${index}`;
        seen.set(name, { sinceMs: performance.now(), left: NODES, atMs: 0 });
        directories[index % NODES]?.publish(name, bodyOf());
        await sleep(EACH_MS);
      }
      await sleep(SETTLE_MS);
      const missing = [...seen.values()].filter(({ left }) => left > 0).length;
      if (missing > 0) throw new Error(`${missing} of ${STREAMS} streams were not seen by all`);
      const times = [...seen.values()].map(({ sinceMs, atMs }) => atMs - sinceMs).toSorted((left, right) => left - right);
      const at = (share: number): number => Math.round((times[Math.floor(share * (times.length - 1))] ?? 0) * 10) / 10;
      return [
        {
          name: 'directory: publisher accepted to known on all of 20 nodes',
          value: at(0.99),
          unit: 'ms p99',
          bar: { atMost: 50 },
          note: `p50 ${at(0.5)} ms; a claim each ${EACH_MS} ms, one NATS server, all nodes in one process`,
        },
      ];
    } finally {
      for (const each of directories) each.close();
      for (const client of clients) await client.close();
      await nats.stop();
    }
  },
};

const bodyOf = (): StreamBody => ({
  startedWallMs: Date.now(),
  discontinuity: 0,
  state: 'live',
  protocol: 'rtmp',
  tracks: [
    { kind: 'video', codec: 'avc1.64001f', width: 1280, height: 720 },
    { kind: 'audio', codec: 'mp4a.40.2' },
  ],
  renditions: [],
});
