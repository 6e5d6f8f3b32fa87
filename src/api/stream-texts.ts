import type { WallMs } from '../core/mod.ts';
import { type CurrentPart, currentPart, type StreamResourceOptions, type StreamSource, settledPart } from './stream-resource.ts';

/** The settled part of a stream as JSON, and what it was made of. */
interface KeptText {
  readonly publisher: StreamSource['publisher'];
  readonly tracks: StreamSource['tracks'];
  readonly hasReorderedFrames: boolean;
  readonly text: string;
}

/**
 * Streams as JSON for lists. Tracks, publisher and playback of a stream make two thirds of its text and hardly ever change: they are written once and kept for as long as the
 * stream has the same of them. The rest is read and written for each answer.
 */
export class StreamTexts {
  private readonly options: StreamResourceOptions;
  /** For those who may see all of the publisher, and for others. */
  private readonly kept = { privileged: new WeakMap<StreamSource, KeptText>(), others: new WeakMap<StreamSource, KeptText>() };

  constructor(options: StreamResourceOptions) {
    this.options = options;
  }

  /** A stream that is published here, as its schema has it; `rest` is what else there is to say of it. */
  text(stream: StreamSource, rest: object, isPrivileged: boolean, now: WallMs): string {
    return `${this.settled(stream, isPrivileged)},${this.current(stream, now)},${JSON.stringify(rest).slice(1)}`;
  }

  /** Without its closing brace. */
  private settled(stream: StreamSource, isPrivileged: boolean): string {
    const texts = isPrivileged ? this.kept.privileged : this.kept.others;
    const kept = texts.get(stream);
    if (kept !== undefined && isOf(kept, stream)) return kept.text;
    const text = JSON.stringify(settledPart(stream, this.options, isPrivileged)).slice(0, -1);
    const { publisher, tracks, hasReorderedFrames, renditions } = stream;
    // What WebRTC viewers get goes by the renditions, which come and go.
    if (renditions.size === 0) texts.set(stream, { publisher, tracks, hasReorderedFrames, text });
    return text;
  }

  /** Without its braces. */
  private current(stream: StreamSource, now: WallMs): string {
    const part = currentPart(stream, this.options, now);
    const {
      state,
      uptimeSeconds,
      bitrateBps,
      frameRate,
      keyframeIntervalMs,
      bytesIn,
      framesIn,
      timestampJumps,
      driftMs,
      latency,
      ...lists
    } = part;
    const latencyText = latency === undefined ? '' : `,"latency":${JSON.stringify(latency)}`;
    return `"state":"${state}","uptimeSeconds":${uptimeSeconds},"bitrateBps":${bitrateBps},"frameRate":${frameRate},"keyframeIntervalMs":${keyframeIntervalMs},"bytesIn":${bytesIn},"framesIn":${framesIn},"timestampJumps":${timestampJumps},"driftMs":${driftMs},${listsText(lists)}${latencyText}`;
  }
}

/** Mostly there is little in them. */
function listsText({ renditions, rungs, viewers }: Pick<CurrentPart, 'renditions' | 'rungs' | 'viewers'>): string {
  const renditionsText = renditions.length === 1 ? '["source"]' : JSON.stringify(renditions);
  const viewersText = viewers.total === 0 ? '{"total":0,"byProtocol":{}}' : JSON.stringify(viewers);
  return `"renditions":${renditionsText},"rungs":${rungs.length === 0 ? '[]' : JSON.stringify(rungs)},"viewers":${viewersText}`;
}

const isOf = (kept: KeptText, stream: StreamSource): boolean =>
  stream.renditions.size === 0 &&
  kept.tracks === stream.tracks &&
  kept.publisher === stream.publisher &&
  kept.hasReorderedFrames === stream.hasReorderedFrames;
