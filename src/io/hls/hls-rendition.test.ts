import { describe, expect, it } from 'vitest';
import { FrameSource } from '../../gateways/hls-frames.fixture.ts';
import type { Sink } from '../../hub/mod.ts';
import type { SharedResponse } from '../shared-route.ts';
import { HlsRendition } from './hls-rendition.ts';
import { WaitingRequests } from './waiting-requests.ts';

describe('HlsRendition', () => {
  it('lists no segment that frames are missing of', () => {
    let sink: Sink | undefined;
    const files = new Map<string, SharedResponse>();
    const rendition = new HlsRendition(
      {
        attach: (attached) => {
          sink = attached;
          return () => undefined;
        },
      },
      {
        name: 'source',
        base: '/live/show',
        files,
        limits: { segmentsMax: 4, bytesMax: 1e8 },
        waiting: new WaitingRequests({ waiting: 0, waitingMax: 10 }, 10, () => undefined),
        siblings: () => [],
        advanced: () => undefined,
        ended: () => undefined,
      },
    );
    const frames = new FrameSource().add({ seconds: 5 });
    for (const frame of frames.slice(0, 30)) sink?.frame(frame);
    sink?.gap?.();
    for (const frame of frames.slice(60)) sink?.frame(frame);
    const playlist = Buffer.from(rendition.playlists?.media ?? []).toString();
    expect(playlist).toContain('#EXT-X-MEDIA-SEQUENCE:1800000001\n');
    expect([...files.keys()].some((path) => path.includes('1800000000.'))).toBe(false);
  });
});
