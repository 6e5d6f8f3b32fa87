import type { MonotonicMs, WallMs } from '../core/mod.ts';
import type { Publication, RenditionInput } from '../hub/mod.ts';
import { type ReceivedFrame, RtpToHub } from './rtp-to-hub.ts';

/** Which stream of a WebRTC publisher a frame belongs to. */
export interface SourceLayer {
  readonly kind: 'video' | 'audio';
  /** Of simulcast; empty without. */
  readonly rid: string;
  /** Its place in the publisher's list, from 0; decides between layers of one size. */
  readonly preference: number;
  /** How many layers were agreed on; 1 without simulcast. */
  readonly layerCount: number;
}

/** What {@link LayersToHub} needs of its owner. */
export interface LayersToHubOutput {
  /** Decoding cannot begin or go on without keyframes of all layers. */
  keyframeWanted(): void;
  /** Something is left out of the stream; said once for each cause. */
  warning(code: string, message: string): void;
}

interface Layer {
  readonly rid: string;
  readonly preference: number;
  /** Width times height; 0 before its first keyframe. */
  area: number;
  toHub: RtpToHub;
  /** What makes it a rendition; undefined for the source, and while it is silent. */
  rendition: RenditionInput | undefined;
  /** Since when frames come without a long break, and when the last one came. */
  liveSince: MonotonicMs;
  lastAt: MonotonicMs;
}

/** So long the layers may take to show their size before the largest one known becomes the stream. */
const SIZES_WAIT_MS = 1_000;
/** A layer without frames for so long is switched off: encoders do that when bandwidth falls. */
const SILENT_MS_MAX = 2_000;
/** A better layer that comes back has to last before the stream changes to it. */
const STEADY_MS = 3_000;
/** Another layer takes a silent one's place when it lasted so long: after a break of the whole connection all of them come back. */
const SUBSTITUTE_STEADY_MS = 500;
/** Longer ids are legal, but become part of URLs. */
const NAME_LENGTH_MAX = 16;

/**
 * Puts a WebRTC publisher's frames into the hub. Of simulcast the largest layer that is sent is the stream itself, and the others become its
 * renditions; when the largest one stops, the next one takes its place, and gives it back. The order of the rids is no guide: RFC 8853 section 5.2
 * has the preferred one first, and browsers' applications list the smallest first as well.
 */
export class LayersToHub {
  private readonly publication: Publication;
  private readonly out: LayersToHubOutput;
  private readonly audio: RtpToHub;
  private readonly layers = new Map<string, Layer>();
  private source: Layer | undefined = undefined;
  private firstAt: MonotonicMs | undefined = undefined;
  private layerCount = 1;

  constructor(publication: Publication, out: LayersToHubOutput) {
    this.publication = publication;
    this.out = out;
    this.audio = this.toSource();
  }

  /** False: the frame is broken, and its layer cannot go on before the next keyframe. */
  frame(layer: SourceLayer, frame: ReceivedFrame, now: MonotonicMs, wall: WallMs): boolean {
    if (layer.kind === 'audio') return this.audio.frame(frame, now, wall);
    const entry = this.enter(layer, now);
    // What is looked at for its size goes nowhere, so a layer that is alone is not.
    const isUsable = this.source !== undefined || layer.layerCount <= 1 || this.measure(entry, frame, now, wall);
    const wasChosen = this.source !== undefined;
    this.choose(entry, now);
    if (this.source === undefined || (!wasChosen && layer.layerCount > 1)) return isUsable;
    if (entry !== this.source && entry.rendition === undefined) this.makeRendition(entry, now);
    this.endSilentRenditions(now);
    return this.measure(entry, frame, now, wall);
  }

  private measure(entry: Layer, frame: ReceivedFrame, now: MonotonicMs, wall: WallMs): boolean {
    const isUsable = entry.toHub.frame(frame, now, wall);
    entry.area = entry.toHub.pictureArea;
    return isUsable;
  }

  private enter({ rid, preference, layerCount }: SourceLayer, now: MonotonicMs): Layer {
    this.firstAt ??= now;
    this.layerCount = layerCount;
    let entry = this.layers.get(rid);
    if (entry === undefined) {
      // Nothing goes anywhere before the layers' sizes are known.
      const toHub = new RtpToHub({ write: () => undefined }, this.warn);
      entry = { rid, preference, area: 0, toHub, rendition: undefined, liveSince: now, lastAt: now };
      this.layers.set(rid, entry);
    }
    if (now - entry.lastAt > SILENT_MS_MAX) entry.liveSince = now;
    entry.lastAt = now;
    return entry;
  }

  private choose(entry: Layer, now: MonotonicMs): void {
    const { source } = this;
    if (source === entry) return;
    if (source === undefined) {
      const isKnown = [...this.layers.values()].filter(({ area }) => area > 0).length >= this.layerCount;
      if (this.layerCount <= 1 || isKnown || now - (this.firstAt ?? now) >= SIZES_WAIT_MS) this.makeSource(this.best(now, 0) ?? entry);
      return;
    }
    const liveMs = now - entry.liveSince;
    if (now - source.lastAt > SILENT_MS_MAX && liveMs >= SUBSTITUTE_STEADY_MS) {
      this.makeSource(this.best(now, SUBSTITUTE_STEADY_MS) ?? entry);
    } else if (isBetter(entry, source) && liveMs >= STEADY_MS) this.makeSource(entry);
  }

  /** A layer that the publisher switched off would stay in the list of renditions, with pictures from long ago. */
  private endSilentRenditions(now: MonotonicMs): void {
    for (const layer of this.layers.values()) {
      if (layer.rendition === undefined || now - layer.lastAt <= SILENT_MS_MAX) continue;
      layer.rendition.end();
      layer.rendition = undefined;
    }
  }

  /** The best of those that have been live for `steadyMs`. */
  private best(now: MonotonicMs, steadyMs: number): Layer | undefined {
    const live = [...this.layers.values()].filter(({ lastAt, liveSince }) => now - lastAt <= SILENT_MS_MAX && now - liveSince >= steadyMs);
    return live.sort((a, b) => b.area - a.area || a.preference - b.preference)[0];
  }

  private makeSource(layer: Layer): void {
    const previous = this.source;
    this.source = layer;
    layer.rendition?.end();
    layer.rendition = undefined;
    layer.toHub = this.toSource();
    // Whatever came before belongs to another place: all layers begin anew, together.
    if (this.layers.size > 1 || previous !== undefined) this.out.keyframeWanted();
  }

  private makeRendition(layer: Layer, now: MonotonicMs): void {
    const rendition = this.publication.rendition(renditionName(layer.rid), now);
    layer.rendition = rendition;
    layer.toHub = new RtpToHub({ write: (frame, at) => rendition?.write(frame, at) }, this.warn);
  }

  private toSource(): RtpToHub {
    return new RtpToHub(this.publication, this.warn);
  }

  private readonly warn = (code: string, message: string): void => this.out.warning(code, message);
}

const isBetter = (a: Layer, b: Layer): boolean => a.area > b.area || (a.area === b.area && a.preference < b.preference);

/** A rid has letters, digits, `-` and `_` (RFC 8851 section 10), so that it can stand in a URL; `source` is the stream itself. */
function renditionName(rid: string): string {
  const name = rid.slice(0, NAME_LENGTH_MAX);
  return name === 'source' || name === '' ? 'layer' : name;
}
