import type { CodecContext } from 'node-av';
import type { VideoCodec } from '../../media/mod.ts';
import type { VideoRung } from '../../transcode/mod.ts';
import type { NodeAv } from '../ffmpeg/mod.ts';

type Preset = VideoRung['preset'];

export interface EncoderSettings {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly timescale: number;
  /** Frames a second as far as it is known. */
  readonly frameRate: number;
  readonly bitrateBps: number;
  readonly preset: Preset;
  readonly threads: number;
}

/** Pictures without a keyframe that nobody asked for: longer than any stream lasts (libvpx and SVT-AV1 know no infinity). */
const GOP_ENDLESS = 1 << 24;
/** SVT-AV1 has no presets faster than 10 at low delay. */
const SVT_PRESETS: Readonly<Record<Preset, number>> = { ultrafast: 10, superfast: 10, veryfast: 10, faster: 9, fast: 8, medium: 7 };
const VP9_SPEEDS: Readonly<Record<Preset, number>> = { ultrafast: 9, superfast: 8, veryfast: 8, faster: 7, fast: 6, medium: 5 };
const VP8_SPEEDS: Readonly<Record<Preset, number>> = { ultrafast: 14, superfast: 12, veryfast: 10, faster: 8, fast: 6, medium: 4 };
const NVENC_PRESETS: Readonly<Record<Preset, string>> = {
  ultrafast: 'p1',
  superfast: 'p1',
  veryfast: 'p2',
  faster: 'p3',
  fast: 'p4',
  medium: 'p5',
};
const LOG_SVT_ERRORS = '1';

/** Sets an encoder up for live use: one packet a picture at once, no B-frames, keyframes only where they are asked for, a bounded bit rate. */
export function configureEncoder(av: NodeAv, name: string, context: CodecContext, settings: EncoderSettings): void {
  context.width = settings.width;
  context.height = settings.height;
  context.timeBase = new av.Rational(1, settings.timescale);
  context.framerate = new av.Rational(Math.max(1, Math.round(settings.frameRate * 1000)), 1000);
  context.maxBFrames = 0;
  context.gopSize = GOP_ENDLESS;
  context.threadCount = settings.threads;
  context.bitRate = BigInt(settings.bitrateBps);
  if (name !== 'libsvtav1') {
    // A buffer of one second: what a player holds of a live stream.
    context.rcMaxRate = BigInt(settings.bitrateBps);
    context.rcBufferSize = settings.bitrateBps;
  }
  if (settings.codec === 'h264' || settings.codec === 'hevc') context.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER);
  setOptions(name, context, settings);
}

function setOptions(name: string, context: CodecContext, settings: EncoderSettings): void {
  const { preset, threads, bitrateBps } = settings;
  const set = (options: Readonly<Record<string, string>>): void => {
    for (const [option, value] of Object.entries(options)) context.setOption(option, value);
  };
  switch (name) {
    case 'libx264':
      set({ preset, tune: 'zerolatency', 'forced-idr': '1', 'x264-params': 'keyint=infinite:scenecut=0' });
      break;
    case 'libx265':
      set({ preset, tune: 'zerolatency', 'forced-idr': '1' });
      set({ 'x265-params': `keyint=-1:scenecut=0:bframes=0:open-gop=0:repeat-headers=0:log-level=error:frame-threads=1:pools=${threads}` });
      break;
    case 'libvpx':
    case 'libvpx-vp9':
      // Equal least and greatest distances of keyframes switch libvpx's own off.
      set({ keyint_min: String(GOP_ENDLESS), deadline: 'realtime', 'lag-in-frames': '0', 'auto-alt-ref': '0' });
      set({ 'cpu-used': String((name === 'libvpx' ? VP8_SPEEDS : VP9_SPEEDS)[preset]) });
      if (name === 'libvpx-vp9') set({ 'row-mt': '1' });
      context.rcMinRate = BigInt(bitrateBps);
      break;
    case 'libsvtav1':
      process.env['SVT_LOG'] ??= LOG_SVT_ERRORS;
      set({ preset: String(SVT_PRESETS[preset]), 'svtav1-params': `pred-struct=1:rc=2:lp=${threads}` });
      break;
    default:
      setHardwareOptions(name, preset, set);
  }
}

function setHardwareOptions(name: string, preset: Preset, set: (options: Readonly<Record<string, string>>) => void): void {
  if (name.endsWith('_nvenc')) {
    set({ preset: NVENC_PRESETS[preset], tune: 'ull', 'forced-idr': '1', delay: '0', zerolatency: '1', rc: 'cbr', 'no-scenecut': '1' });
  } else if (name.endsWith('_qsv'))
    set({ preset: preset === 'ultrafast' || preset === 'superfast' ? 'veryfast' : preset, forced_idr: '1', async_depth: '1' });
  else if (name.endsWith('_vaapi')) set({ async_depth: '1', rc_mode: 'CBR' });
}
