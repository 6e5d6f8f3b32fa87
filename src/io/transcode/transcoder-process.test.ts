import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { probeEncoders } from './encoder-probe.ts';
import { makeSource, type Source } from './test-media.fixture.ts';
import { RunningTranscoder, videoRung } from './transcoder.fixture.ts';

const running: RunningTranscoder[] = [];
const run = (): RunningTranscoder => {
  const transcoder = new RunningTranscoder();
  running.push(transcoder);
  return transcoder;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ transcoder }) => transcoder.close()));
});

let made: Promise<Source> | undefined;
const source = (): Promise<Source> => {
  made ??= makeSource({ video: { codec: 'h264', width: 320, height: 180, frameRate: 25, keyframeEvery: 25 }, seconds: 2 });
  return made;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the transcoding process', () => {
  it('is started ahead of need, says that it lives and what it used', async () => {
    const { tracks, frames } = await source();
    const it = run()
      .start(tracks, [videoRung('low', 90)])
      .feed(frames);
    await it.untilFrames('low', 50);
    await it.until('two heartbeats came', () => it.heartbeats >= 2);
    expect(it.isStarted).toBe(true);
    expect(it.transcoder.stats()).toMatchObject({ framesIn: 50, framesOut: 50, framesDropped: 0, framesCorrupt: 0, queuedMs: 0 });
    expect(it.transcoder.stats().cpuS).toBeGreaterThan(0);
  });

  it('makes a keyframe where one is wanted, of the next frame and in that rung alone', async () => {
    const { tracks, frames } = await source();
    const it = run()
      .start(tracks, [videoRung('low', 90), videoRung('lower', 60)])
      .feed(frames.slice(0, 10));
    it.transcoder.requestKeyframe('low');
    it.transcoder.requestKeyframe('none');
    it.feed(frames.slice(10));
    await it.untilFrames('low', 50);
    await it.untilFrames('lower', 50);
    const keyframesOf = (rung: string): number[] => it.of(rung).flatMap(({ isKeyframe }, index) => (isKeyframe ? [index] : []));
    expect(keyframesOf('low')).toEqual([0, 10, 25]);
    expect(keyframesOf('lower')).toEqual([0, 25]);
  });

  it('tells by which signal it died, once, and takes no more frames', async () => {
    const { tracks, frames } = await source();
    const it = run()
      .start(tracks, [videoRung('low', 90)])
      .feed(frames);
    await it.untilFrames('low', 1);
    process.kill(it.transcoder.pid ?? 0, 'SIGKILL');
    await it.until('its end is told', () => it.exits.length > 0);
    expect(it.exits).toEqual(['signal SIGKILL']);
    expect(frames.map((frame) => it.transcoder.frame(frame))).not.toContain(true);
    it.transcoder.setRungs([]);
  });

  it('tells a start that comes too late', async () => {
    const it = run();
    process.kill(it.transcoder.pid ?? 0, 'SIGKILL');
    await it.until('it is gone', () => it.transcoder.isGone);
    it.start((await source()).tracks, [videoRung('low', 90)]);
    await it.until('its end is told', () => it.exits.length > 0);
  });

  it('is killed when it does not answer any more', async () => {
    const { tracks, frames } = await source();
    const it = run()
      .start(tracks, [videoRung('low', 90)])
      .feed(frames);
    await it.untilFrames('low', 1);
    process.kill(it.transcoder.pid ?? 0, 'SIGSTOP');
    await it.until('its end is told', () => it.exits.length > 0);
    expect(it.failures).toEqual(['transcode.hung']);
    expect(it.exits).toEqual(['signal SIGKILL']);
  });

  it('that does not read has a bounded backlog: frames are dropped up to the next keyframe', async () => {
    const { tracks, frames } = await source();
    const it = run();
    await it.until('it has begun', () => it.transcoder.pid !== undefined);
    process.kill(it.transcoder.pid ?? 0, 'SIGSTOP');
    it.start(tracks, [videoRung('low', 90)]);
    const large = frames.map((frame) => ({ ...frame, payload: new Uint8Array(1024 * 1024) }));
    expect(large.map((frame) => it.transcoder.frame(frame)).filter((isTaken) => !isTaken).length).toBeGreaterThan(20);
    expect(it.transcoder.stats().framesIn).toBeLessThan(20);
    expect(it.transcoder.stats().framesDropped).toBeGreaterThan(20);
    it.transcoder.kill();
  });

  it('dies with its parent, however that dies', async () => {
    const parent = fork(fileURLToPath(new URL('./transcoder-parent.fixture.ts', import.meta.url)), { execArgv: [] });
    const [pid] = (await once(parent, 'message')) as [number];
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  });

  it('ends politely, and by force when it does not answer; nothing is told afterwards', async () => {
    const { tracks, frames } = await source();
    for (const isStopped of [false, true]) {
      const it = run()
        .start(tracks, [videoRung('low', 90)])
        .feed(frames);
      await it.untilFrames('low', 1);
      const pid = it.transcoder.pid ?? 0;
      if (isStopped) process.kill(pid, 'SIGSTOP');
      const closing = it.transcoder.close();
      const before = it.of('low').length;
      await closing;
      expect(isAlive(pid)).toBe(false);
      expect(it.of('low')).toHaveLength(before);
      expect(it.exits).toEqual([]);
    }
  });
});

describe('the encoders of this machine', () => {
  it('are tried once, and those that do not work say why', async () => {
    const log = pino({ level: 'silent' });
    const first = probeEncoders(log);
    expect(probeEncoders(log)).toBe(first);
    const encoders = await first;
    expect(encoders.filter(({ kind, available }) => kind === 'software' && available).map(({ name }) => name)).toEqual([
      'libx264',
      'libx265',
      'libsvtav1',
      'libvpx-vp9',
      'libvpx',
    ]);
    for (const { available, reason } of encoders) expect(available || (reason ?? '').length > 10).toBe(true);
  });
});
