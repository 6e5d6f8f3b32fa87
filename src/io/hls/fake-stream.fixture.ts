import { type StreamRef, streamRef } from '../../core/mod.ts';
import { AUDIO, VIDEO } from '../../gateways/hls-frames.fixture.ts';
import type { Sink } from '../../hub/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import type { HlsRenditionSource, HlsSource } from './hls-stream.ts';

/** A stream without a hub: what it is fed goes to whoever takes its frames at once. */
export class FakeStream implements HlsSource {
  readonly ref: StreamRef = streamRef('live', 'show');
  publisher: HlsSource['publisher'] = { protocol: 'rtmp' };
  readonly viewers: Map<string, number> = new Map();
  readonly renditions: Map<string, FakeStream> = new Map();
  readonly tracks: readonly Track[] = [VIDEO, AUDIO];
  readonly kind = 'video';
  readonly audience: 'everybody' | 'webrtc' = 'everybody';
  expected: HlsRenditionSource['expected'] = undefined;
  measured: HlsRenditionSource['described'] = undefined;
  get described(): HlsRenditionSource['described'] {
    return this.expected ?? this.measured;
  }
  sinks: Sink[] = [];
  attach(sink: Sink): () => void {
    this.sinks.push(sink);
    return () => {
      this.sinks = this.sinks.filter((other) => other !== sink);
    };
  }
  feed(frames: readonly Frame[]): void {
    for (const frame of frames) for (const sink of this.sinks) sink.frame(frame);
  }
}
