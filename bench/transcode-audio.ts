import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase } from './bench-case.ts';
import { withServer } from './bench-server.ts';
import { loopedFile, withLoopedPublishers } from './looped-publishers.ts';
import { type CpuUse, cpuUse, ladder, untilRungs } from './transcode-bench.ts';

const SOUNDS = 24;
/** Few and many: what is done once for a server is less a stream with many. */
const PICTURES = [2, 6] as const;
/** A server that has just begun has an empty heap, and does not collect as it will later: both sides of a difference have to be past that. */
const SETTLE_S = 30;
const MEASURE_S = 50;
const OPUS_RATE = 50;
/** Where less is made than this of what is due, the figures say nothing. */
const KEPT_UP = 0.9;
const OFF = { SLUICE_TRANSCODE_ENABLED: 'false' };
const PICTURE = { width: 1280, height: 720, frameRate: 30, bitrateBps: 2_500_000, keyframeIntervalS: 2 } as const;
const OPUS = { name: 'opus', codec: 'opus' };
const SMALL = { name: 'small', height: 90, bitrateBps: 100_000, preset: 'ultrafast' };

/** What sound alone costs the children, at real time and many streams at once; and what feeding children costs the server. */
export const transcodeAudio: BenchCase = {
  name: 'transcode-audio',
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    try {
      return await rowsWith(loopedFile(join(folder, 'sound.flv'), undefined), loopedFile(join(folder, 'picture.flv'), PICTURE));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function rowsWith(sound: string, picture: string): ReturnType<BenchCase['run']> {
  const soundWith = await measure(SOUNDS, sound, [OPUS]);
  const soundWithout = await measure(SOUNDS, sound, []);
  const rows = [
    {
      name: 'transcode: AAC to Opus at real time',
      value: percentOfCore(soundWith.childrenS, soundWith, SOUNDS),
      unit: '% of a core a stream',
      bar: { atMost: 2 },
      note: `${SOUNDS} streams at once, up to 16 in a child`,
    },
    feeding('sound', SOUNDS, soundWith, soundWithout),
  ];
  for (const streams of PICTURES) {
    const pictureWith = await measure(streams, picture, [OPUS, SMALL]);
    const pictureWithout = await measure(streams, picture, []);
    rows.push(feeding(`${streams} streams of 720p30, 2.5 Mbit/s, and sound`, streams, pictureWith, pictureWithout));
  }
  return rows;
}

function feeding(what: string, streams: number, fed: CpuUse, bare: CpuUse): Awaited<ReturnType<BenchCase['run']>>[number] {
  const [served, alone] = [percentOfCore(fed.serverS, fed, streams), percentOfCore(bare.serverS, bare, streams)];
  return {
    name: `transcode: what feeding a child costs the server, ${what}`,
    value: Math.round((served - alone) * 100) / 100,
    unit: '% of a core a stream',
    bar: { atMost: 1 },
    note: `${streams} streams; the server alone ${served} % with transcoding, ${alone} % without`,
  };
}

const percentOfCore = (cpuS: number, { seconds }: CpuUse, streams: number): number => Math.round((cpuS / seconds / streams) * 10_000) / 100;

function measure(streams: number, file: string, rungs: readonly { readonly name: string; readonly codec?: string }[]): Promise<CpuUse> {
  const work = (server: ServerProcess): Promise<CpuUse> => {
    const names = Array.from({ length: streams }, (_, index) => `bench-${index}`);
    return withLoopedPublishers(
      file,
      names.map((name) => `${server.rtmpUrl}/live/${name}`),
      async () => {
        for (const name of names) {
          await untilLive(server, name);
          const made = rungs.map((rung) => rung.name);
          await untilRungs(server, name, made, ['running']);
        }
        await sleep(SETTLE_S * 1000);
        const before = await framesOut(server);
        const used = await cpuUse(server, MEASURE_S);
        const made = ((await framesOut(server)) - before) / used.seconds / streams;
        const due = rungs.reduce((sum, { codec }) => sum + (codec === 'opus' ? OPUS_RATE : PICTURE.frameRate), 0);
        if (made < KEPT_UP * due) throw new Error(`only ${Math.round(made)} of ${due} frames a second were made: the machine is too busy`);
        return used;
      },
    );
  };
  return withServer(work, rungs.length === 0 ? OFF : ladder(rungs, true));
}

async function framesOut(server: ServerProcess): Promise<number> {
  const response = await fetch(`${server.httpUrl}/api/v1/transcoding`);
  const { streams = [] } = (await response.json()) as { readonly streams?: readonly { readonly framesOut?: number }[] };
  return streams.reduce((sum, stream) => sum + (stream.framesOut ?? 0), 0);
}

async function untilLive(server: ServerProcess, name: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if ((await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`)).ok) return;
    await sleep(100);
  }
  throw new Error(`${name} was not published`);
}
