import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import { type BenchCase, type BenchRow, median } from './bench-case.ts';
import { withServer } from './bench-server.ts';
import { loopedFile, withLoopedPublishers } from './looped-publishers.ts';
import { type CpuUse, cpuUse, hundredths, turnsText, untilRungs } from './transcode-bench.ts';

const SOUNDS = 24;
/** Few and many: what is done once for a server is less a stream with many. */
const PICTURES = [2, 6] as const;
const ROUNDS = 3;
const SETTLE_S = 5;
const MEASURE_S = 18;
const OPUS_RATE = 50;
/** Where less is made than this of what is due, the figures say nothing. */
const KEPT_UP = 0.9;
const PICTURE = { width: 1280, height: 720, frameRate: 30, bitrateBps: 2_500_000, keyframeIntervalS: 2 } as const;
const OPUS = { name: 'opus', codec: 'opus' };
const SMALL = { name: 'small', height: 90, bitrateBps: 100_000, preset: 'ultrafast' };

/** What sound alone costs the children, at real time and many streams at once; and what the server has to do for them: feeding, and what becomes of the renditions. */
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

async function rowsWith(sound: string, picture: string): Promise<BenchRow[]> {
  const sounds = await byTurns(SOUNDS, sound, [OPUS]);
  const rows: BenchRow[] = [
    {
      name: 'transcode: AAC to Opus at real time',
      value: hundredths(median(sounds.map(({ fed }) => percentOfCore(fed, fed.childrenS, SOUNDS)))),
      unit: '% of a core a stream',
      bar: { atMost: 2 },
      note: `${SOUNDS} streams at once, up to 16 in a child`,
    },
    feeding('sound', SOUNDS, sounds),
  ];
  for (const streams of PICTURES)
    rows.push(feeding(`${streams} streams of 720p30, 2.5 Mbit/s, and sound`, streams, await byTurns(streams, picture, [OPUS, SMALL])));
  return rows;
}

/** For information: what feeding alone costs, which has a bar, is a case of its own. */
function feeding(what: string, streams: number, rounds: readonly Round[]): BenchRow {
  const turns = {
    fed: rounds.map((round) => percentOfCore(round.fed, round.fed.serverS, streams)),
    bare: rounds.map((round) => percentOfCore(round.bare, round.bare.serverS, streams)),
  };
  return {
    name: `transcode: what feeding children, and taking back what they make, costs the server, ${what}`,
    value: hundredths(median(turns.fed) - median(turns.bare)),
    unit: '% of a core a stream',
    note: `${streams} streams, medians of ${ROUNDS} turns each; the server alone ${turnsText(turns, 'transcoding')}`,
  };
}

const percentOfCore = ({ seconds }: CpuUse, cpuS: number, streams: number): number => (100 * cpuS) / seconds / streams;

type Rungs = readonly { readonly name: string; readonly codec?: string }[];

interface Round {
  readonly fed: CpuUse;
  readonly bare: CpuUse;
}

/** With and without the rungs by turns, in one process: how V8 has grown its heap differs more from process to process than what is asked for. */
function byTurns(streams: number, file: string, rungs: Rungs): Promise<Round[]> {
  const work = (server: ServerProcess): Promise<Round[]> => {
    const names = Array.from({ length: streams }, (_, index) => `bench-${index}`);
    return withLoopedPublishers(
      file,
      names.map((name) => `${server.rtmpUrl}/live/${name}`),
      async () => {
        for (const name of names) await untilLive(server, name);
        const rounds: Round[] = [];
        while (rounds.length < ROUNDS) {
          const bare = await usedWith(server, { template: 'off' });
          const fed = await usedFed(server, names, rungs);
          rounds.push({ fed, bare });
        }
        return rounds;
      },
    );
  };
  return withServer(work, { SLUICE_TRANSCODE_TASKS_MAX: '100' });
}

async function usedFed(server: ServerProcess, names: readonly string[], rungs: Rungs): Promise<CpuUse> {
  const made = rungs.map(({ name }) => name);
  let before = 0;
  const used = await usedWith(server, { template: 'custom', always: true, rungs }, async () => {
    for (const name of names) await untilRungs(server, name, made, ['running']);
    await sleep(SETTLE_S * 1000);
    before = await framesOut(server);
  });
  const rate = ((await framesOut(server)) - before) / used.seconds / names.length;
  const due = rungs.reduce((sum, { codec }) => sum + (codec === 'opus' ? OPUS_RATE : PICTURE.frameRate), 0);
  if (rate < KEPT_UP * due) throw new Error(`only ${Math.round(rate)} of ${due} frames a second were made: the machine is too busy`);
  return used;
}

/** What is used with this ladder once it has settled. */
async function usedWith(server: ServerProcess, wish: object, settled = () => sleep(SETTLE_S * 1000)): Promise<CpuUse> {
  const headers = { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' };
  const response = await fetch(`${server.httpUrl}/api/v1/apps/live/ladder`, { method: 'PUT', headers, body: JSON.stringify(wish) });
  if (!response.ok) throw new Error(`no such ladder: ${await response.text()}`);
  await settled();
  return cpuUse(server, MEASURE_S);
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
