import { describe, expect, it } from 'vitest';
import type { Frame } from '../../media/mod.ts';
import { FeedSender, FeedWriter } from './feed-sender.ts';
import { MessageSplitter } from './message-splitter.ts';
import type { RelayPosition } from './messages.ts';
import { trackIndex } from './position.ts';
import { readMessage } from './read-message.ts';
import { stampedFrames, waiting } from './relay.fixture.ts';
import { SendQueue } from './send-queue.ts';

const frames = stampedFrames({ fromMs: 0, untilMs: 9_000 });
const positionAt = (index: number): RelayPosition => {
  const { segment } = frames[index] as Frame;
  const before = frames.slice(0, index + 1);
  const lastOf = (track: number) => ({ track, dts: before.findLast((frame) => trackIndex(frame) === track)?.dts ?? 0 });
  return { sequence: segment.sequence, discontinuity: segment.discontinuity, tracks: [lastOf(0), lastOf(1)] };
};

function makeSender(position?: RelayPosition, subscriptionBytesMax = 1e9, connectionBytesMax = 1e9) {
  const queue = new SendQueue();
  const writer = new FeedWriter(1);
  const drops: number[] = [];
  const out = { queue, wake: () => undefined, dropped: (messages: number) => void drops.push(messages) };
  const sender = new FeedSender(out, writer, { subscriptionBytesMax, connectionBytesMax }, position);
  const send = (some: readonly Frame[]): void => {
    for (const frame of some) sender.frame(frame, () => writer.frameHead(frame, 0, false));
  };
  /** What the peer gets: frames by their dts and track, others by their names. */
  const sent = (): string[] => {
    const words: string[] = [];
    new MessageSplitter(1e9).push(waiting(queue), (bytes) => {
      const message = readMessage(bytes);
      words.push(message.kind === 'frame' ? `${message.frame.track} ${message.frame.dts}` : message.kind);
    });
    return words;
  };
  return { sender, queue, send, sent, dropped: () => drops.reduce((sum, messages) => sum + messages, 0) };
}

const named = (some: readonly Frame[]): string[] => some.map((frame) => `${trackIndex(frame)} ${frame.dts}`);
const media = (words: readonly string[]): string[] => words.filter((word) => /\d/.test(word));
const isKeyframe = (frame: Frame): boolean => frame.track.kind === 'video' && frame.isKeyframe;

describe('FeedSender', () => {
  it('tells tracks and segments once', () => {
    const { sender, send, sent } = makeSender();
    expect(sender.begin(frames.slice(0, 10))).toBe(false);
    send(frames);
    const words = sent();
    expect(media(words)).toEqual(named(frames));
    expect(words.filter((word) => !/\d/.test(word))).toEqual(['tracks', 'segment', 'segment', 'segment', 'segment', 'segment']);
  });

  it('goes on behind the position where the cache has it, or is not that far yet', () => {
    for (const [from, to] of [
      [0, 400],
      [150, 400],
      [200, 400],
      [0, 120],
    ] as const) {
      const { sender, send, sent } = makeSender(positionAt(200));
      expect(sender.begin(frames.slice(from, to)), `${from} to ${to}`).toBe(true);
      send(frames.slice(from));
      expect(media(sent())).toEqual(named(frames.slice(201)));
    }
  });

  it('begins with a keyframe where the cache does not go back that far, is empty, or is of other numbers', () => {
    const start = frames.findIndex((frame, index) => index > 250 && isKeyframe(frame));
    for (const [position, cached] of [
      [positionAt(100), frames.slice(250)],
      [positionAt(100), []],
      [{ ...positionAt(100), discontinuity: 0 }, frames.slice(250)],
      [undefined, frames.slice(250)],
    ] as const) {
      const { sender, send, sent } = makeSender(position);
      expect(sender.begin(cached)).toBe(false);
      send(frames.slice(250));
      expect(media(sent())[0]).toBe(named(frames.slice(start))[0]);
    }
  });

  it('does not take a renumbered stream for the same one', () => {
    const position = { ...positionAt(200), discontinuity: positionAt(200).discontinuity + 1 };
    const { sender, send, sent } = makeSender(position);
    expect(sender.begin(frames)).toBe(false);
    send(frames);
    expect(sent()).toEqual([]);
  });

  it('does not wait for ever for a holder that never gets there', () => {
    const position = { ...positionAt(200), discontinuity: positionAt(200).discontinuity + 1 };
    const { sender, send, sent } = makeSender(position);
    sender.begin([]);
    for (let turn = 0; turn < 5; turn++) send(frames);
    const words = sent();
    expect(words.slice(0, 3)).toEqual(['gap', 'tracks', 'segment']);
    expect(media(words).length).toBeGreaterThan(100);
  });

  it.each([
    ['it has too much waiting', 20_000, 1e9],
    ['its connection has', 1e9, 20_000],
  ])('drops what waits when %s, and goes on at a keyframe', (_why, ofSubscription, ofConnection) => {
    const { sender, queue, send, sent, dropped } = makeSender(undefined, ofSubscription, ofConnection);
    sender.begin(frames);
    send(frames);
    expect(queue.sizeBytes).toBeLessThan(21_000);
    expect(dropped()).toBeGreaterThan(100);
    const words = sent();
    expect(words.slice(0, words.lastIndexOf('gap')).every((word) => word === 'gap')).toBe(true);
    sender.notice('paused');
    send(frames);
    expect(sent()[0]).toBe('paused');
  });
});
