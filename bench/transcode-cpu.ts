import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase } from './bench-case.ts';
import { cpuS, cpuUse, ladder, percentile, untilRungs } from './transcode-bench.ts';

const PAIRS = 4;
const SETTLE_S = 5;
const MEASURE_S = 15;
const SOURCE_S = 10;
const FRAME_RATE = 30;
/** Whoever does less than this of the work does not keep up, and what it used says nothing. */
const KEPT_UP = 0.75;
const PRESET = 'veryfast';
const SIZES = [
  { name: '720p', width: 1280, height: 720, bitrateBps: 2_500_000 },
  { name: '480p', width: 854, height: 480, bitrateBps: 1_200_000 },
  { name: '360p', width: 640, height: 360, bitrateBps: 600_000 },
] as const;
const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error'];
const ENCODER = ['-c:v', 'libx264', '-preset', PRESET, '-tune', 'zerolatency', '-sc_threshold', '0', '-g', '99999'];

/** CPU seconds for 1080p30 to three sizes, RTMP included, against the ffmpeg command that decodes, scales and encodes the same, both at real time. */
export const transcodeCpu: BenchCase = {
  name: 'transcode',
  run: async () => {
    if (spawnSync('ffmpeg', ['-version']).status !== 0)
      throw new Error('the ffmpeg command to compare with is not on the PATH (Debian: apt-get install ffmpeg)');
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    try {
      const file = join(folder, 'source.flv');
      makeSource(file);
      const pairs: { readonly sluice: number; readonly ffmpeg: number }[] = [];
      for (let pair = 0; pair < PAIRS; pair++) pairs.push({ sluice: await bySluice(file), ffmpeg: await byFfmpeg(file) });
      const ratios = pairs.map(({ sluice, ffmpeg }) => sluice / ffmpeg);
      const times = (of: 'sluice' | 'ffmpeg'): string => pairs.map((pair) => (pair[of] * 1000).toFixed(1)).join(', ');
      return [
        {
          name: 'transcode: CPU time for 1080p30 to 720p, 480p and 360p against the ffmpeg command',
          value: Math.round(percentile(ratios, 0.5) * 100) / 100,
          unit: 'times',
          bar: { atMost: 1.1 },
          note: `${PAIRS} pairs of runs: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}; server and child ${times('sluice')} ms a picture, ffmpeg ${times('ffmpeg')} ms, ${PRESET}, at real time`,
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function makeSource(file: string): void {
  const picture = 'testsrc2=size=1920x1080:rate=30,noise=alls=6:allf=t,format=yuv420p';
  const { status, stderr } = spawnSync(
    'ffmpeg',
    [
      ...[...QUIET, '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
      ...['-t', String(SOURCE_S), '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '6M', '-maxrate', '6M', '-bufsize', '6M', '-g', '60'],
      ...['-c:a', 'aac', '-b:a', '128k', file],
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`ffmpeg made no source: ${stderr}`);
}

const reading = (file: string): string[] => [...QUIET, '-re', '-stream_loop', '-1', '-i', file];

/** CPU seconds of server and child for each picture of the source. */
async function bySluice(file: string): Promise<number> {
  const rungs = SIZES.map(({ name, height, bitrateBps }) => ({ name, height, bitrateBps, preset: PRESET, encoder: 'libx264' }));
  const server = await ServerProcess.start({ environment: ladder(rungs, true) });
  const publisher = spawn('ffmpeg', [...reading(file), '-c', 'copy', '-f', 'flv', `${server.rtmpUrl}/live/bench`], { stdio: 'ignore' });
  try {
    await untilPublished(server);
    await untilRungs(
      server,
      'bench',
      SIZES.map(({ name }) => name),
      ['running'],
    );
    await sleep(SETTLE_S * 1000);
    const before = await framesOut(server);
    const { serverS, childrenS, seconds } = await cpuUse(server, MEASURE_S);
    const pictures = ((await framesOut(server)) - before) / SIZES.length;
    return perPicture(serverS + childrenS, pictures, seconds, 'Sluice');
  } finally {
    await end(publisher);
    await server.close();
  }
}

async function framesOut(server: ServerProcess): Promise<number> {
  const response = await fetch(`${server.httpUrl}/api/v1/transcoding`);
  const { streams } = (await response.json()) as { readonly streams: readonly { readonly framesOut: number }[] };
  return streams[0]?.framesOut ?? 0;
}

function perPicture(usedS: number, pictures: number, seconds: number, who: string): number {
  if (pictures < KEPT_UP * seconds * FRAME_RATE)
    throw new Error(`${who} made only ${Math.round(pictures)} pictures in ${Math.round(seconds)} s: the machine is too busy for real time`);
  return usedS / pictures;
}

async function untilPublished(server: ServerProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await fetch(`${server.httpUrl}/api/v1/streams/live/bench`)).ok) return;
    await sleep(100);
  }
  throw new Error('ffmpeg did not publish');
}

async function byFfmpeg(file: string): Promise<number> {
  const branches = SIZES.map(({ width, height }, index) => `[s${index}]scale=${width}:${height}[v${index}]`);
  const graph = [`[0:v]split=${SIZES.length}${SIZES.map((_, index) => `[s${index}]`).join('')}`, ...branches].join(';');
  const outputs = SIZES.flatMap(({ bitrateBps }, index) => [
    ...['-map', `[v${index}]`, ...ENCODER, '-force_key_frames', 'source'],
    ...['-b:v', String(bitrateBps), '-maxrate', String(bitrateBps), '-bufsize', String(bitrateBps), '-f', 'null', '-'],
  ]);
  const progress = ['-progress', 'pipe:1', '-stats_period', '0.1'];
  const child = spawn('ffmpeg', [...progress, ...reading(file), '-filter_complex', graph, ...outputs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let pictures = 0;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    pictures = Number(text.match(/(?<=^frame=)\d+/gm)?.at(-1) ?? pictures);
  });
  try {
    await sleep(SETTLE_S * 1000);
    const [before, picturesBefore, startMs] = [cpuS(child.pid ?? 0), pictures, performance.now()];
    await sleep(MEASURE_S * 1000);
    if (child.exitCode !== null) throw new Error('the ffmpeg command ended before it was measured');
    const seconds = (performance.now() - startMs) / 1000;
    return perPicture(cpuS(child.pid ?? 0) - before, pictures - picturesBefore, seconds, 'the ffmpeg command');
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}
