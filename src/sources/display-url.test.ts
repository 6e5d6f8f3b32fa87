import { describe, expect, it } from 'vitest';
import { displayUrl, withoutCredentials } from './display-url.ts';

describe('a URL that is shown', () => {
  it.each([
    ['rtsp://admin:p@ss@10.0.0.5:554/h264?token=1', 'rtsp://10.0.0.5:554/h264'],
    ['srt://10.0.0.5:9000?passphrase=0123456789', 'srt://10.0.0.5:9000'],
    ['https://example.com/live/index.m3u8#x', 'https://example.com/live/index.m3u8'],
    ['/media/loop.mp4', '/media/loop.mp4'],
  ])('of %s is %s', (url, shown) => {
    expect(displayUrl(url)).toBe(shown);
  });

  it('keeps its secrets within a message, too', () => {
    const message = "Could not open 'rtsp://admin:secret@10.0.0.5/h264?key=secret': refused";
    expect(withoutCredentials(message)).toBe("Could not open 'rtsp://10.0.0.5/h264': refused");
  });
});
