import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EchoMessage } from './echo-worker.fixture.ts';
import { FramedChild } from './framed-child.ts';
import type { PipedFrame } from './wire.ts';

const ECHO = fileURLToPath(new URL('./echo-worker.fixture.ts', import.meta.url));
const WAIT = { timeout: 20_000, interval: 10 };
const KIB = 1024;

const children: FramedChild<EchoMessage, EchoMessage>[] = [];

function start(script = ECHO): {
  child: FramedChild<EchoMessage, EchoMessage>;
  frames: PipedFrame[];
  said: EchoMessage[];
  exits: string[];
} {
  const [frames, said, exits]: [PipedFrame[], EchoMessage[], string[]] = [[], [], []];
  const child = new FramedChild<EchoMessage, EchoMessage>(
    script,
    {},
    {
      control: (message) => said.push(message),
      frame: (frame) => frames.push(frame),
      exited: (reason) => exits.push(reason),
    },
  );
  children.push(child);
  return { child, frames, said, exits };
}

const frameOf = (dts: number, sizeBytes: number): PipedFrame => ({
  ...{ channel: dts % 7, isKeyframe: dts % 2 === 0, dts, pts: dts + 1, captureMs: undefined },
  payload: new Uint8Array(sizeBytes).fill(dts % 256),
});

/** What is compared: the bytes themselves are of one value each. */
const outline = ({ channel, isKeyframe, dts, pts, payload }: PipedFrame): object => {
  const value = payload[0] ?? -1;
  return { channel, isKeyframe, dts, pts, sizeBytes: payload.length, value, isWhole: payload.every((byte) => byte === value) };
};

describe('a framed child', () => {
  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.close({ kind: 'stop' })));
  });

  it('carries frames of all sizes both ways, in order with control messages', async () => {
    const { child, frames, said } = start();
    const sizes = [0, 1, 200, 10 * KIB, 64 * KIB - 32, 64 * KIB - 31, 70 * KIB, 3 * KIB * KIB, 5, 300 * KIB, 7];
    const sent = Array.from({ length: 55 }, (_, index) => frameOf(index, sizes[index % sizes.length] ?? 0));
    for (const frame of sent) child.sendFrame(frame);
    child.send({ kind: 'hello' });
    await vi.waitFor(() => expect(said).toEqual([{ kind: 'hello' }]), WAIT);
    expect(frames.map(outline)).toEqual(sent.map(outline));
    expect(child.backlogBytes).toBe(0);
  });

  it('does not wait for a child that does not read, and says how much waits', async () => {
    const { child, frames, said } = start();
    child.send({ kind: 'hello' });
    await vi.waitFor(() => expect(said).toHaveLength(1), WAIT);
    process.kill(child.pid ?? 0, 'SIGSTOP');
    // Far more than the operating system takes for a socket.
    const sent = Array.from({ length: 1200 }, (_, index) => frameOf(index, 10 * KIB));
    for (const frame of sent) child.sendFrame(frame);
    expect(child.backlogBytes).toBeGreaterThan(4 * KIB * KIB);
    process.kill(child.pid ?? 0, 'SIGCONT');
    await vi.waitFor(() => expect(frames).toHaveLength(sent.length), WAIT);
    expect(frames.map(outline)).toEqual(sent.map(outline));
    expect(child.backlogBytes).toBe(0);
  });

  it('tells once that the child is gone, and takes what comes after that', async () => {
    const { child, said, exits } = start();
    child.send({ kind: 'hello' });
    await vi.waitFor(() => expect(said).toHaveLength(1), WAIT);
    process.kill(child.pid ?? 0, 'SIGKILL');
    // Until the exit is told, the pipe breaks under what is written.
    await vi.waitFor(() => {
      for (let index = 0; index < 20; index++) child.sendFrame(frameOf(index, 10 * KIB));
      expect(exits).toEqual(['signal SIGKILL']);
    }, WAIT);
    child.sendFrame(frameOf(1, 10));
    child.send({ kind: 'hello' });
    child.kill();
    await child.close({ kind: 'stop' });
    expect(exits).toEqual(['signal SIGKILL']);
  });

  it('ends a child that says what is no message', async () => {
    const { child, exits } = start();
    child.send({ kind: 'say-garbage' });
    await vi.waitFor(() => expect(exits).toHaveLength(1), WAIT);
    expect(exits[0]).toMatch(/^signal SIGKILL; .*bytes.* is allowed/);
  });

  it('tells of a child that cannot start', async () => {
    const { exits } = start('/nowhere/at/all.js');
    await vi.waitFor(() => expect(exits).toHaveLength(1), WAIT);
    expect(exits[0]).toMatch(/^exit code 1; .*all\.js/s);
  });

  it('kills a child that does not end when it is asked to', async () => {
    const { child, said, exits } = start();
    child.send({ kind: 'hello' });
    await vi.waitFor(() => expect(said).toHaveLength(1), WAIT);
    process.kill(child.pid ?? 0, 'SIGSTOP');
    await child.close({ kind: 'stop' });
    expect(exits).toEqual(['signal SIGKILL']);
  });
});
