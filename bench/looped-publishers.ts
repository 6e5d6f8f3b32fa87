// Publishers that send a file again and again at real time without encoding anything, so that many fit beside what is measured.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { LOAD_CPU } from './bench-server.ts';

const LENGTH_S = 10;
const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];

interface LoopedPicture {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly bitrateBps: number;
  readonly keyframeIntervalS: number;
}

/** Makes an FLV file of ten seconds by the ffmpeg command, stereo AAC and H.264 without B-frames where there is a picture; returns its path. */
export function loopedFile(file: string, picture: LoopedPicture | undefined): string {
  const inputs = picture === undefined ? TONE : [...pictureInput(picture), ...TONE];
  const encoding = picture === undefined ? [] : pictureEncoding(picture);
  const sound = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'];
  const { status, stderr } = spawnSync('ffmpeg', [...QUIET, ...inputs, '-t', String(LENGTH_S), ...encoding, ...sound, file], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the ffmpeg command (Debian: apt-get install ffmpeg) made no source: ${stderr}`);
  return file;
}

function pictureInput({ width, height, frameRate }: LoopedPicture): readonly string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${frameRate},noise=alls=6:allf=t,format=yuv420p`];
}

function pictureEncoding({ bitrateBps, frameRate, keyframeIntervalS }: LoopedPicture): readonly string[] {
  const rate = String(bitrateBps);
  const gop = String(keyframeIntervalS * frameRate);
  return ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', rate, '-maxrate', rate, '-bufsize', rate, '-g', gop, '-bf', '0'];
}

/** Publishes the file to each URL, one process a stream, for as long as `work` takes. */
export async function withLoopedPublishers<T>(file: string, urls: readonly string[], work: () => Promise<T>): Promise<T> {
  const publishers = urls.map((url) => {
    const sending = ['ffmpeg', ...QUIET, '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', '-f', 'flv', url];
    return spawn('taskset', ['-c', String(LOAD_CPU), ...sending], { stdio: 'ignore' });
  });
  try {
    return await work();
  } finally {
    await Promise.all(
      publishers.map(async (publisher) => {
        if (publisher.exitCode !== null || publisher.signalCode !== null) return;
        publisher.kill('SIGKILL');
        await once(publisher, 'close');
      }),
    );
  }
}
