import type { PublishSource } from './media-source.ts';
import { widthOf } from './publish-settings.ts';
import { drawTestPicture } from './test-picture.ts';

/** Chromium's way of making a track from frames, which works in hidden pages, too (https://w3c.github.io/mediacapture-transform). */
declare const MediaStreamTrackGenerator:
  | (new (init: {
      kind: 'video';
    }) => MediaStreamTrack & { readonly writable: WritableStream<VideoFrame> })
  | undefined;

interface Pen {
  readonly track: MediaStreamTrack;
  /** Sends the picture that is on the canvas. */
  readonly show: () => void;
}

/** The test picture as a track, and a tone that beeps at each full second. */
export function openTestSource(height: number, framesPerSecond: number, withSound: boolean, label: string): PublishSource {
  const canvas = document.createElement('canvas');
  canvas.width = widthOf(height);
  canvas.height = height;
  const brush = canvas.getContext('2d', { alpha: false });
  if (!brush) throw new Error('the browser has no canvas');
  const draw = (): void => drawTestPicture(brush, canvas.width, canvas.height, Date.now(), label);
  draw();
  const pen = penOf(canvas);
  const ticker = new Worker(new URL('./ticker-worker.ts', import.meta.url), { type: 'module' });
  ticker.onmessage = () => {
    draw();
    pen.show();
  };
  ticker.postMessage(1000 / framesPerSecond);
  const tone = withSound ? openTone() : undefined;
  const stream = new MediaStream([pen.track, ...(tone ? [tone.track] : [])]);
  return {
    stream,
    close: () => {
      ticker.terminate();
      tone?.close();
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

function penOf(canvas: HTMLCanvasElement): Pen {
  if (typeof MediaStreamTrackGenerator === 'function' && typeof VideoFrame === 'function') {
    const track = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = track.writable.getWriter();
    return {
      track,
      show: () => {
        // A track that takes no more, because it was stopped or is behind, misses a frame.
        if ((writer.desiredSize ?? 0) > 0)
          void writer.write(new VideoFrame(canvas, { timestamp: performance.now() * 1000 })).catch(() => undefined);
      },
    };
  }
  const [track] = canvas.captureStream(0).getVideoTracks();
  if (!track) throw new Error('the browser cannot send a canvas');
  return { track, show: () => (track as CanvasCaptureMediaStreamTrack).requestFrame() };
}

const BEEP_S = 0.09;
const BEEPS_AHEAD_MS = 2500;

function openTone(): { readonly track: MediaStreamTrack; close(): void } {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 880 });
  const gain = new GainNode(context, { gain: 0 });
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
  oscillator.connect(gain).connect(out);
  oscillator.start();
  void context.resume();
  let plannedMs = 0;
  const plan = (): void => {
    const nowMs = Date.now();
    // Louder and quieter at full seconds of the clock in the picture, planned on the sound card's own clock.
    for (let atMs = Math.max(plannedMs, Math.ceil(nowMs / 1000) * 1000); atMs < nowMs + BEEPS_AHEAD_MS; atMs += 1000) {
      const at = context.currentTime + (atMs - nowMs) / 1000;
      gain.gain.setTargetAtTime(0.3, at, 0.004);
      gain.gain.setTargetAtTime(0, at + BEEP_S, 0.01);
      plannedMs = atMs + 1000;
    }
  };
  plan();
  const timer = setInterval(plan, 1000);
  const [track] = out.stream.getAudioTracks();
  if (!track) throw new Error('the browser cannot send sound');
  const close = (): void => {
    clearInterval(timer);
    void context.close();
  };
  return { track, close };
}
