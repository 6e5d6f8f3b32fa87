import type { AudioTrack, VideoTrack } from '../media/mod.ts';
import type { PlannedRung } from './ladder.ts';

/** A source's pictures; what is not given is of 1080p at 30 frames a second. */
export const pictures = (given: Partial<VideoTrack> = {}): VideoTrack => ({
  kind: 'video',
  id: 1,
  codec: 'h264',
  timescale: 90_000,
  config: new Uint8Array(),
  codecString: 'avc1.640028',
  width: 1920,
  height: 1080,
  frameRate: 30,
  ...given,
});

/** A source's sound; what is not given is of stereo AAC. */
export const sound = (given: Partial<AudioTrack> = {}): AudioTrack => ({
  kind: 'audio',
  id: 2,
  codec: 'aac',
  timescale: 48_000,
  config: new Uint8Array(),
  codecString: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 2,
  ...given,
});

/** A planned rung of 16:9 pictures. */
export const plannedPictures = (name: string, height: number): PlannedRung => ({
  rung: { name, kind: 'video', height, codec: 'h264', bitrateBps: 1_000_000, preset: 'veryfast', encoder: 'auto' },
  expected: { codecString: 'avc1.64001f', width: 2 * Math.round((height * 8) / 9), height, frameRate: 30, bitrateBps: 1_128_000 },
});

export const plannedSound = (name: string): PlannedRung => ({
  rung: { name, kind: 'audio', codec: 'opus', bitrateBps: 128_000, channels: 2 },
  expected: { codecString: 'opus', bitrateBps: 128_000 },
});
