import { describe, expect, it } from 'vitest';
import { awaitsSender } from './awaits-sender.ts';

describe('a source that waits for its sender', () => {
  it.each([
    'udp://239.1.2.3:5000',
    'UDP://127.0.0.1:5000?localaddr=127.0.0.1',
    'srt://0.0.0.0:9000?mode=listener',
    'srt://[::]:9000?latency=20&mode=listener&x=1',
  ])('is %s', (url) => expect(awaitsSender(url)).toBe(true));

  it.each([
    'srt://h:9000',
    'srt://h:9000?mode=caller',
    'srt://h:9000?streamid=mode=listener',
    'rtsp://h/udp://',
    '/srt/mode=listener',
    'http://h/?mode=listener',
  ])('is not %s', (url) => expect(awaitsSender(url)).toBe(false));
});
