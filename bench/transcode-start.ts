import { setTimeout as sleep } from 'node:timers/promises';
import { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase } from './bench-case.ts';
import { LOAD_CPU } from './bench-server.ts';
import { LoadProcess } from './load-process.ts';
import { ladder, percentile, untilRungs, withRealPublishers } from './transcode-bench.ts';
import { webrtcOf } from './webrtc-bench.ts';

const STREAMS = 10;
const GOP_S = 2;
const WATCH_S = 4;
const RUNGS = [{ name: 'opus', codec: 'opus' }, { name: 'webrtc' }];
const VIDEO = {
  codec: 'h264',
  width: 1280,
  height: 720,
  frameRate: 30,
  bitrateBps: 2_500_000,
  keyframeIntervalS: GOP_S,
  bFrames: 2,
} as const;

/** How soon the first viewer of a stream has picture and sound that have to be made first: each time another stream, and another place in its GOP. */
export const transcodeStart: BenchCase = {
  name: 'transcode-start',
  run: async () => {
    const server = await ServerProcess.start({ environment: ladder(RUNGS, false) });
    try {
      const starts: { readonly picture: number; readonly sound: number }[] = [];
      for (let index = 0; index < STREAMS; index++) starts.push(await firstViewer(server, index));
      const both = starts.map(({ picture, sound }) => Math.max(picture, sound));
      const of = (kind: 'picture' | 'sound'): string =>
        `${kind} p50 ${percentile(
          starts.map((start) => start[kind]),
          0.5,
        )} ms, max ${Math.max(...starts.map((start) => start[kind]))} ms`;
      return [
        {
          name: 'transcode: offer to first picture and sound of a stream with B-frames and AAC',
          value: Math.max(...both),
          unit: 'ms max',
          bar: { atMost: 1500 },
          note: `${STREAMS} first viewers of 720p30 with a keyframe each ${GOP_S} s; ${of('picture')}; ${of('sound')}`,
        },
      ];
    } finally {
      await server.close();
    }
  },
};

function firstViewer(server: ServerProcess, index: number): Promise<{ readonly picture: number; readonly sound: number }> {
  const stream = `bench-${index}`;
  const url = `${server.rtmpUrl}/live/${stream}`;
  return withRealPublishers([{ url, video: VIDEO, audio: { codec: 'aac', bitrateBps: 128_000 } }], async () => {
    await untilRungs(server, stream, ['opus', 'webrtc'], ['offered']);
    await sleep((GOP_S + (index * GOP_S) / STREAMS) * 1000);
    const load = new LoadProcess(LOAD_CPU, [
      ...['whep', `${server.httpUrl}/live/${stream}/whep`, '--viewers', '1', '--probes', '1', '--duration', String(WATCH_S)],
    ]);
    const result = await load.result;
    const picture = result.joinFirstKeyframeMs?.p50;
    const sound = webrtcOf(result).firstAudioPacketMs?.p50;
    if (picture === undefined || sound === undefined)
      throw new Error(`no picture or no sound within ${WATCH_S} s: ${JSON.stringify(result.errors)}`);
    return { picture, sound };
  });
}
