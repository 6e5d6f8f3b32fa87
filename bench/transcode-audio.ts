import { setTimeout as sleep } from 'node:timers/promises';
import type { PublisherOptions } from '../src/io/demo/mod.ts';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase } from './bench-case.ts';
import { withServer } from './bench-server.ts';
import { type CpuUse, cpuUse, ladder, untilRungs, withRealPublishers } from './transcode-bench.ts';

const SOUNDS = 24;
const PICTURES = 2;
const SETTLE_S = 6;
const MEASURE_S = 30;
const OFF = { SLUICE_TRANSCODE_ENABLED: 'false' };
const AUDIO = { codec: 'aac', bitrateBps: 128_000 } as const;
const VIDEO = { codec: 'h264', width: 1280, height: 720, frameRate: 30, bitrateBps: 2_500_000, keyframeIntervalS: 2, bFrames: 0 } as const;
const OPUS = { name: 'opus', codec: 'opus' };
const SMALL = { name: 'small', height: 90, bitrateBps: 100_000, preset: 'ultrafast' };

/** What sound alone costs the children, at real time and many streams at once; and what feeding children costs the server. */
export const transcodeAudio: BenchCase = {
  name: 'transcode-audio',
  run: async () => {
    const sound = (url: string): PublisherOptions => ({ url, audio: AUDIO });
    const picture = (url: string): PublisherOptions => ({ url, audio: AUDIO, video: VIDEO });
    const soundWith = await measure(SOUNDS, sound, [OPUS]);
    const soundWithout = await measure(SOUNDS, sound, []);
    const pictureWith = await measure(PICTURES, picture, [OPUS, SMALL]);
    const pictureWithout = await measure(PICTURES, picture, []);
    return [
      {
        name: 'transcode: AAC to Opus at real time',
        value: percentOfCore(soundWith.childrenS, soundWith, SOUNDS),
        unit: '% of a core a stream',
        bar: { atMost: 2 },
        note: `${SOUNDS} streams at once, each with a child of its own`,
      },
      feeding('sound', SOUNDS, soundWith, soundWithout),
      feeding('720p30 of 2.5 Mbit/s and sound', PICTURES, pictureWith, pictureWithout),
    ];
  },
};

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

function measure(
  streams: number,
  publication: (url: string) => PublisherOptions,
  rungs: readonly { readonly name: string }[],
): Promise<CpuUse> {
  const work = (server: ServerProcess): Promise<CpuUse> => {
    const names = Array.from({ length: streams }, (_, index) => `bench-${index}`);
    return withRealPublishers(
      names.map((name) => publication(`${server.rtmpUrl}/live/${name}`)),
      async () => {
        for (const name of names) {
          await untilLive(server, name);
          const made = rungs.map((rung) => rung.name);
          await untilRungs(server, name, made, ['running']);
        }
        await sleep(SETTLE_S * 1000);
        return cpuUse(server, MEASURE_S);
      },
    );
  };
  return withServer(work, rungs.length === 0 ? OFF : ladder(rungs, true));
}

async function untilLive(server: ServerProcess, name: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if ((await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`)).ok) return;
    await sleep(100);
  }
  throw new Error(`${name} was not published`);
}
