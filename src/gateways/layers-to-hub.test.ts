import { beforeEach, describe, expect, it } from 'vitest';
import { mediaTime, monotonicMs, wallMs } from '../core/mod.ts';
import type { Publication, RenditionInput } from '../hub/mod.ts';
import { vp8Frames } from '../media/codecs/samples.fixture.ts';
import type { SourceFrame } from '../media/mod.ts';
import { LayersToHub, type SourceLayer } from './layers-to-hub.ts';

const full: SourceLayer = { kind: 'video', rid: 'f', preference: 0, layerCount: 3 };
const half: SourceLayer = { kind: 'video', rid: 'h', preference: 1, layerCount: 3 };
const quarter: SourceLayer = { kind: 'video', rid: 'q', preference: 2, layerCount: 3 };
const single: SourceLayer = { kind: 'video', rid: '', preference: 0, layerCount: 1 };
const sound: SourceLayer = { kind: 'audio', rid: '', preference: 0, layerCount: 1 };
const FRAME_MS = 40;
const KEYFRAME_EACH_MS = 1_000;

/** A publisher of simulcast VP8 in virtual time, with what comes out of it in the hub. */
class Scene {
  now = 0;
  readonly keyframesWantedAt: number[] = [];
  readonly warnings: string[] = [];
  /** What went to the stream, as [layer, ms]: the width tells the layer. */
  readonly source: [layer: string, ms: number][] = [];
  /** Events of the renditions by name. */
  readonly renditions = new Map<string, ('open' | 'end' | 'frame')[]>();
  readonly toHub: LayersToHub;
  private readonly publication: Publication;

  constructor() {
    this.publication = {
      stream: {} as Publication['stream'],
      write: (frame) => this.source.push([layerOf(frame), this.now]),
      rendition: (name) => this.open(name),
      finish: () => undefined,
      release: () => undefined,
      lost: () => undefined,
    };
    this.toHub = new LayersToHub(this.publication, {
      keyframeWanted: () => this.keyframesWantedAt.push(this.now),
      warning: (code) => this.warnings.push(code),
    });
  }

  /** The layers are sent until `untilMs`; a keyframe of each every second and after each wish. */
  play(layers: readonly SourceLayer[], untilMs: number): void {
    for (; this.now < untilMs; this.now += FRAME_MS) {
      const isKeyframe = this.now % KEYFRAME_EACH_MS === 0 || this.keyframesWantedAt.at(-1) === this.now - FRAME_MS;
      for (const layer of layers) this.put(layer, isKeyframe);
    }
  }

  put(layer: SourceLayer, isKeyframe: boolean): boolean {
    const pts = mediaTime(this.now * 90);
    const payloads = [layer.kind === 'audio' ? Uint8Array.of(0xf8) : vp8Payload(layer, isKeyframe)];
    const codec = layer.kind === 'audio' ? 'opus' : 'vp8';
    return this.toHub.frame(layer, { codec, payloads, pts }, monotonicMs(this.now), wallMs(this.now));
  }

  /** The layers that were the stream from `fromMs` on, each once for each time in a row. */
  sourcesSince(fromMs: number): string[] {
    const names = this.source.filter(([, ms]) => ms >= fromMs).map(([layer]) => layer);
    return names.filter((name, index) => name !== names[index - 1]);
  }

  framesOf(name: string): number {
    return (this.renditions.get(name) ?? []).filter((event) => event === 'frame').length;
  }

  lastEventOf(name: string): string | undefined {
    return this.renditions.get(name)?.at(-1);
  }

  private open(name: string): RenditionInput {
    const events = this.renditions.get(name) ?? [];
    this.renditions.set(name, events);
    events.push('open');
    return { write: () => events.push('frame'), rest: () => undefined, end: () => events.push('end') };
  }
}

/** Each layer has a width of its own: 320 for `f`, 160 for `h`, 80 for `q`. */
function vp8Payload({ rid }: SourceLayer, isKeyframe: boolean): Uint8Array {
  const frame = isKeyframe ? vp8Frames.keyframe.slice() : vp8Frames.interframe;
  if (isKeyframe) new DataView(frame.buffer, frame.byteOffset).setUint16(6, 320 >> Math.max(0, ['f', 'h', 'q'].indexOf(rid)), true);
  return Uint8Array.of(0x10, ...frame);
}

function layerOf({ track }: SourceFrame): string {
  if (track.kind === 'audio') return 'sound';
  return { 320: 'f', 160: 'h', 80: 'q' }[track.width] ?? `${track.width}`;
}

describe('LayersToHub', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('makes a single layer the stream at once, with its sound, and asks for nothing', () => {
    scene.play([single, sound], 400);
    expect(new Set(scene.source.map(([layer]) => layer))).toEqual(new Set(['f', 'sound']));
    expect(scene.source).toHaveLength(20);
    expect(scene.renditions.size).toBe(0);
    expect(scene.keyframesWantedAt).toEqual([]);
  });

  it('makes the largest layer the stream and the others renditions with the names of their rids', () => {
    scene.play([full, half, quarter], 2_000);
    expect(scene.sourcesSince(0)).toEqual(['f']);
    expect([...scene.renditions.keys()]).toEqual(['h', 'q']);
    expect(scene.framesOf('h')).toBeGreaterThan(40);
  });

  it('waits a second for all layers, then takes the best there is and asks for keyframes', () => {
    scene.play([half, quarter], 960);
    expect(scene.source).toEqual([]);
    scene.play([half, quarter], 2_000);
    expect(scene.sourcesSince(0)).toEqual(['h']);
    expect(scene.source[0]?.[1]).toBe(1_040);
    expect(scene.keyframesWantedAt).toEqual([1_000]);
    expect([...scene.renditions.keys()]).toEqual(['q']);
  });

  it('does not wait longer than until all layers have shown their size, whatever the order of their rids', () => {
    const [small, large] = [
      { ...quarter, preference: 0 },
      { ...full, preference: 2 },
    ];
    scene.play([small, half, large], 2_000);
    expect(scene.keyframesWantedAt).toEqual([0]);
    expect(scene.source[0]?.[1]).toBeLessThan(100);
    expect(scene.sourcesSince(0)).toEqual(['f']);
  });

  it('lets the next layer take over when the largest one goes silent, and gives back when it is steady again', () => {
    scene.play([full, half, quarter], 5_000);
    scene.play([half, quarter], 10_000);
    expect(scene.sourcesSince(5_040)).toEqual(['h']);
    // Two seconds of silence since the last frame.
    expect(scene.source.find(([layer]) => layer === 'h')?.[1]).toBe(7_000);
    expect(scene.lastEventOf('h')).toBe('end');

    scene.play([full, half, quarter], 12_960);
    expect(scene.sourcesSince(10_000)).toEqual(['h']);
    expect(scene.lastEventOf('f')).toBe('frame');
    scene.play([full, half, quarter], 14_000);
    expect(scene.sourcesSince(10_000)).toEqual(['h', 'f']);
    expect(scene.source.find(([layer, ms]) => layer === 'f' && ms > 10_000)?.[1]).toBeLessThanOrEqual(13_080);
    expect(scene.lastEventOf('f')).toBe('end');
    expect(scene.lastEventOf('h')).toBe('frame');
  });

  it('does not give back to a layer that comes and goes', () => {
    scene.play([full, half], 2_000);
    scene.play([half], 6_000);
    for (let round = 0; round < 3; round++) {
      scene.play([full, half], scene.now + 1_000);
      scene.play([half], scene.now + 2_400);
    }
    expect(scene.sourcesSince(4_200)).toEqual(['h']);
  });

  it('keeps its source over a break of the whole connection, whichever layer comes back first', () => {
    scene.play([full, half, quarter], 3_000);
    scene.now = 6_000;
    scene.play([quarter], 6_200);
    scene.play([half, quarter], 6_320);
    scene.play([full, half, quarter], 10_000);
    expect(scene.sourcesSince(0)).toEqual(['f']);
  });

  it('ends the rendition of a layer that is switched off, and begins it anew when the layer is back', () => {
    scene.play([full, half, quarter], 2_000);
    scene.play([full, half], 5_000);
    expect(scene.lastEventOf('q')).toBe('end');
    expect(scene.lastEventOf('h')).toBe('frame');
    scene.play([full, half, quarter], 7_000);
    expect(scene.renditions.get('q')?.filter((event) => event === 'open')).toHaveLength(2);
    expect(scene.lastEventOf('q')).toBe('frame');
  });

  it('gives renditions names that can stand in a URL and are not taken', () => {
    scene.play([full, { ...half, rid: 'source' }, { ...quarter, rid: 'a-very-long-name-of-a-layer' }], 400);
    expect([...scene.renditions.keys()]).toEqual(['layer', 'a-very-long-name']);
  });

  it('says of a broken frame that its layer cannot go on, of the stream and of a rendition', () => {
    scene.play([full, half], 400);
    const broken = { codec: 'vp8', payloads: [Uint8Array.of(0x10)], pts: mediaTime(0) } as const;
    expect(scene.toHub.frame(full, broken, monotonicMs(400), wallMs(0))).toBe(false);
    expect(scene.toHub.frame(half, broken, monotonicMs(400), wallMs(0))).toBe(false);
    expect(scene.put(full, true)).toBe(true);
    expect(scene.warnings).toEqual(['rtp.bad-vp8-payload', 'rtp.bad-vp8-payload']);
  });

  it('survives the end of the publication', () => {
    const toHub = new LayersToHub(
      {
        stream: {} as Publication['stream'],
        write: () => undefined,
        rendition: () => undefined,
        finish: () => undefined,
        release: () => undefined,
        lost: () => undefined,
      },
      { keyframeWanted: () => undefined, warning: () => undefined },
    );
    for (const layer of [full, half])
      expect(toHub.frame(layer, { codec: 'vp8', payloads: [vp8Payload(layer, true)], pts: mediaTime(0) }, monotonicMs(0), wallMs(0))).toBe(
        true,
      );
  });
});
