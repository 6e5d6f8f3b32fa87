import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePictureChildren } from './fake-pictures.fixture.ts';
import { PictureMaker } from './picture-maker.ts';

const picture = { codec: 'h264', config: new Uint8Array(), payload: new Uint8Array([1]) } as const;
const jpeg = new Uint8Array([0xff, 0xd8]);

let children: FakePictureChildren;
let maker: PictureMaker;

beforeEach(() => {
  vi.useFakeTimers();
  children = new FakePictureChildren();
  maker = new PictureMaker({ start: children.start });
});
afterEach(async () => {
  await maker.close();
  vi.useRealTimers();
});

describe('the process that makes pictures', () => {
  it('is started for the first picture, makes the next ones too, and ends after a minute of rest', async () => {
    expect(children.all).toHaveLength(0);
    const first = maker.make(picture);
    expect(children.newest.asked).toEqual([]);
    children.newest.ready();
    expect(children.newest.asked).toEqual([picture]);
    children.newest.jpeg(jpeg);
    expect(await first).toEqual({ kind: 'jpeg', jpeg });
    vi.advanceTimersByTime(59_000);
    const second = maker.make(picture);
    children.newest.failed('no picture');
    expect(await second).toEqual({ kind: 'failed', message: 'no picture' });
    expect(children.all).toHaveLength(1);
    vi.advanceTimersByTime(59_000);
    expect(maker.isRunning).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect([maker.isRunning, children.newest.isGone]).toEqual([false, true]);
    void maker.make(picture);
    expect(maker.starts).toBe(2);
  });

  it('is killed when a picture is not done in time, and replaced for the next one', async () => {
    const slow = maker.make(picture);
    children.newest.ready();
    vi.advanceTimersByTime(2_000);
    expect(await slow).toMatchObject({ kind: 'crashed' });
    const [first] = children.all;
    expect(first?.isGone).toBe(true);
    const next = maker.make(picture);
    // What the former one still says is nobody's.
    first?.listener.jpeg(jpeg);
    first?.listener.exited('signal SIGKILL');
    children.newest.ready();
    children.newest.jpeg(new Uint8Array([7]));
    expect(await next).toEqual({ kind: 'jpeg', jpeg: new Uint8Array([7]) });
    expect(maker.starts).toBe(2);
  });

  it('may crash, which is told to whose picture it was', async () => {
    const crashed = maker.make(picture);
    children.newest.ready();
    children.newest.crash();
    expect(await crashed).toEqual({ kind: 'crashed', message: 'signal SIGSEGV' });
  });

  it('may die at rest, or while it loads, which is no picture’s fault', async () => {
    const first = maker.make(picture);
    children.newest.crash();
    expect(await first).toMatchObject({ kind: 'not-started' });
    const second = maker.make(picture);
    vi.advanceTimersByTime(20_000);
    expect(await second).toMatchObject({ kind: 'not-started' });
    const third = maker.make(picture);
    children.newest.ready();
    children.newest.jpeg(jpeg);
    await third;
    children.newest.crash();
    const fourth = maker.make(picture);
    children.newest.ready();
    children.newest.jpeg(jpeg);
    expect(await fourth).toMatchObject({ kind: 'jpeg' });
    expect(maker.starts).toBe(4);
  });

  it('is not started again where there is no FFmpeg', async () => {
    const first = maker.make(picture);
    children.newest.listener.unavailable('not installed');
    expect(await first).toEqual({ kind: 'unavailable', message: 'not installed' });
    expect(await maker.make(picture)).toEqual({ kind: 'unavailable', message: 'not installed' });
    expect(maker.starts).toBe(1);
  });

  it('ends with the server, whoever waits', async () => {
    const waiting = maker.make(picture);
    await maker.close();
    expect(await waiting).toMatchObject({ kind: 'not-started' });
    expect(children.newest.isGone).toBe(true);
    expect(await maker.make(picture)).toMatchObject({ kind: 'not-started' });
    expect(maker.starts).toBe(1);
  });
});
