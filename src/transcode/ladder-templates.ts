import { encoderFits } from './encoder-codec.ts';
import { BITRATE_BY_SIZE, type Ladder, type Rung, SOURCE_HEIGHT, type VideoRung } from './ladder.ts';

/**
 * `off`: nothing is transcoded. `webrtc`: what it takes for WebRTC viewers to see and hear any source. `abr`: that, and three smaller
 * qualities. `custom`: the rungs that are given, and no others.
 */
export type LadderTemplate = 'off' | 'webrtc' | 'abr' | 'custom';

/** One rung as an operator writes it; 0 stands for "choose". */
export interface RungSettings {
  readonly name: string;
  /** Tells pictures from sound. */
  readonly codec: VideoRung['codec'] | 'aac' | 'opus';
  readonly height: number;
  readonly frameRateMax: number;
  readonly bitrateBps: number;
  readonly preset: VideoRung['preset'];
  readonly encoder: string;
  readonly channels: number;
}

/** An app's ladder as an operator writes it. */
export interface LadderSettings {
  readonly template: LadderTemplate;
  /** For the template `custom`. */
  readonly rungs: readonly RungSettings[];
  readonly always: boolean;
  readonly lingerMs: number;
}

const KBPS = 1000;
/** Half the rate of a 60 Hz source costs half the work, and on small screens nobody misses it. */
const ABR_FRAME_RATE_MAX = 30;

/** The ladder of an app. `encoder` is what rungs use that name none themselves (`auto`), where it makes their codec. */
export function makeLadder(settings: LadderSettings, encoder: string): Ladder {
  const { always, lingerMs } = settings;
  const rungs = rungsOf(settings).map((rung) =>
    rung.kind === 'video' && rung.encoder === 'auto' && encoderFits(encoder, rung.codec) ? { ...rung, encoder } : rung,
  );
  return { rungs, always, lingerMs };
}

function rungsOf({ template, rungs }: LadderSettings): readonly Rung[] {
  switch (template) {
    case 'off':
      return [];
    case 'webrtc':
      return WEBRTC_RUNGS;
    case 'abr':
      return [...WEBRTC_RUNGS, abrRung('720p', 720, 2500 * KBPS), abrRung('480p', 480, 1200 * KBPS), abrRung('360p', 360, 600 * KBPS)];
    case 'custom':
      return rungs.map(customRung);
  }
}

const WEBRTC_RUNGS: readonly Rung[] = [
  { name: 'opus', kind: 'audio', codec: 'opus', bitrateBps: BITRATE_BY_SIZE },
  { name: 'webrtc', kind: 'video', height: SOURCE_HEIGHT, codec: 'h264', bitrateBps: BITRATE_BY_SIZE, preset: 'veryfast', encoder: 'auto' },
];

const abrRung = (name: string, height: number, bitrateBps: number): Rung => ({
  name,
  kind: 'video',
  height,
  frameRateMax: ABR_FRAME_RATE_MAX,
  codec: 'h264',
  bitrateBps,
  preset: 'veryfast',
  encoder: 'auto',
});

function customRung({ name, codec, height, frameRateMax, bitrateBps, preset, encoder, channels }: RungSettings): Rung {
  if (codec === 'aac' || codec === 'opus') {
    return { name, kind: 'audio', codec, bitrateBps, ...(channels === 1 || channels === 2 ? { channels } : {}) };
  }
  return {
    name,
    kind: 'video',
    height,
    ...(frameRateMax > 0 ? { frameRateMax } : {}),
    codec,
    bitrateBps,
    preset,
    encoder,
  };
}
