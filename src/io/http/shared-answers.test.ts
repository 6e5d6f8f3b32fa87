import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SharedResponse } from '../shared-route.ts';
import { loadNative } from '../webrtc/native-kernel.ts';
import { SharedAnswers } from './shared-answers.ts';

const NOON_MS = Date.UTC(2026, 10, 21, 12);
const shared = (body: Buffer): SharedResponse => ({
  status: 200,
  headers: ['Content-Type', 'video/mp4', 'Content-Length', String(body.length)],
  chunks: [body.subarray(0, 2), body.subarray(2)],
  sizeBytes: body.length,
});

describe('SharedAnswers', () => {
  it('writes the head with date and connection', () => {
    const { head } = new SharedAnswers(75_000).prepare(shared(Buffer.from('body')), NOON_MS + 999);
    expect(head.toString()).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 4\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\n\r\n',
    );
  });

  it('joins head and body of what is asked for twice within a second, and shares that from then on', () => {
    const answers = new SharedAnswers(75_000);
    const part = shared(Buffer.from('body'));
    const first = answers.prepare(part, NOON_MS);
    expect(first.whole).toBeUndefined();
    const second = answers.prepare(part, NOON_MS + 1);
    expect(second.whole?.toString()).toBe(`${first.head}body`);
    expect(answers.prepare(part, NOON_MS + 999)).toBe(second);
  });

  it('begins anew with each second', () => {
    const answers = new SharedAnswers(75_000);
    const part = shared(Buffer.from('body'));
    for (const _ of [1, 2]) answers.prepare(part, NOON_MS);
    const next = answers.prepare(part, NOON_MS + 1000);
    expect(next.whole).toBeUndefined();
    expect(next.head.toString()).toContain('12:00:01 GMT');
  });

  it.skipIf(process.platform !== 'linux' || typeof loadNative() === 'string')(
    'keeps one of some size in a file, until the next second or the end',
    () => {
      const descriptors = (): number => readdirSync('/proc/self/fd').length;
      const before = descriptors();
      const answers = new SharedAnswers(75_000);
      const part = shared(Buffer.alloc(60_000, 'x'));
      expect(answers.prepare(part, NOON_MS).file).toBeUndefined();
      const second = answers.prepare(part, NOON_MS + 1);
      expect(second.file?.sizeBytes).toBe(second.head.length + 60_000);
      expect(second.whole).toBeUndefined();
      expect(answers.prepare(part, NOON_MS + 2)).toBe(second);
      expect(descriptors()).toBe(before + 1);
      expect(answers.prepare(part, NOON_MS + 1000).file).toBeUndefined();
      expect(descriptors()).toBe(before);
      expect(answers.prepare(part, NOON_MS + 1000).file).toBeDefined();
      answers.clear();
      expect(descriptors()).toBe(before);
    },
  );

  it('leaves large answers in their chunks', () => {
    const answers = new SharedAnswers(75_000);
    const segment = shared(Buffer.alloc(1 << 20));
    const first = answers.prepare(segment, NOON_MS);
    expect(answers.prepare(segment, NOON_MS)).toBe(first);
    expect(first.whole).toBeUndefined();
  });
});
