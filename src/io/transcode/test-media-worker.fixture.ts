// Makes and reads media for tests by FFmpeg, in a process of its own, with nothing of the transcoder but the opening of an encoder.
import type { CodecContext, Frame, Packet } from 'node-av';
import {
  annexBToLengthPrefixed,
  buildH264Config,
  buildHevcConfig,
  buildOpusHead,
  parseOpusConfig,
  splitAnnexB,
  type Track,
  toTrackPayload,
  type VideoCodec,
} from '../../media/mod.ts';
import { openEncoder } from './native.ts';
import type { DecodedMedia, DecodedPicture, MadeFrame, MadeSource, MediaTask, SourceOptions } from './test-media.fixture.ts';

const av = await import('node-av');
av.Log.setLevel(av.AV_LOG_ERROR);
process.env['SVT_LOG'] = '1';

const TIMESCALE = 90_000;
const FLASH_S = 0.1;
const VIDEO_ENCODERS = { h264: 'libx264', hevc: 'libx265', av1: 'libsvtav1', vp8: 'libvpx', vp9: 'libvpx-vp9' } as const;
const AUDIO_ENCODERS = { aac: 'aac', opus: 'libopus', mp3: 'libmp3lame' } as const;

const newFrame = (): Frame => {
  const frame = new av.Frame();
  frame.alloc();
  return frame;
};
const newPacket = (): Packet => {
  const packet = new av.Packet();
  packet.alloc();
  return packet;
};

function collect(encoder: CodecContext, packet: Packet, take: (packet: Packet, data: Uint8Array) => void): void {
  while (encoder.receivePacketSync(packet) >= 0) {
    if (packet.data !== null) take(packet, Uint8Array.from(packet.data));
    packet.unref();
  }
}

async function makeVideo(
  options: NonNullable<SourceOptions['video']>,
  seconds: number,
): Promise<{ config: Uint8Array; frames: MadeFrame[] }> {
  const { codec, width, height, frameRate, keyframeEvery, bFrames = 0, is10Bit = false, isInterlaced = false, chroma } = options;
  const format = is10Bit
    ? av.AV_PIX_FMT_YUV420P10LE
    : { '4:2:0': av.AV_PIX_FMT_YUV420P, '4:2:2': av.AV_PIX_FMT_YUV422P, '4:4:4': av.AV_PIX_FMT_YUV444P }[chroma ?? '4:2:0'];
  const encoder = await openEncoder(av, VIDEO_ENCODERS[codec], (context) => {
    context.width = width;
    context.height = height;
    context.pixelFormat = format;
    context.timeBase = new av.Rational(1, TIMESCALE);
    context.framerate = new av.Rational(frameRate, 1);
    context.gopSize = keyframeEvery;
    context.maxBFrames = bFrames;
    context.bitRate = BigInt(Math.round(width * height * frameRate * 0.12));
    if (codec === 'h264' || codec === 'hevc') context.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER);
    if (codec === 'h264') {
      context.setOption('preset', options.preset ?? 'veryfast');
      if (bFrames === 0) context.setOption('tune', 'zerolatency');
      const field = isInterlaced ? ':interlaced=1:tff=1' : '';
      context.setOption('x264-params', `scenecut=0:keyint=${keyframeEvery}:min-keyint=${keyframeEvery}${field}`);
    } else if (codec === 'hevc') {
      context.setOption('preset', 'ultrafast');
      context.setOption(
        'x265-params',
        `scenecut=0:keyint=${keyframeEvery}:min-keyint=${keyframeEvery}:open-gop=0:bframes=${bFrames}:log-level=error`,
      );
    } else if (codec === 'av1') {
      context.setOption('preset', '10');
      context.setOption('svtav1-params', 'pred-struct=1:rc=2:lp=1');
    } else {
      context.setOption('deadline', 'realtime');
      context.setOption('cpu-used', '8');
      context.setOption('lag-in-frames', '0');
    }
  });
  const packet = newPacket();
  const frames: MadeFrame[] = [];
  const take = (coded: Packet, data: Uint8Array): void => {
    frames.push({
      kind: 'video',
      dts: Number(coded.dts),
      pts: Number(coded.pts),
      isKeyframe: coded.isKeyframe,
      payload: payloadOf(codec, data),
    });
  };
  const frame = newFrame();
  frame.width = width;
  frame.height = height;
  frame.format = format;
  frame.getBuffer();
  for (let index = 0; index < seconds * frameRate; index++) {
    frame.makeWritable();
    drawPicture(frame, index, frameRate, is10Bit, isInterlaced);
    frame.pts = BigInt(Math.round((index * TIMESCALE) / frameRate));
    if (isInterlaced) frame.setFlags(av.AV_FRAME_FLAG_INTERLACED, av.AV_FRAME_FLAG_TOP_FIELD_FIRST);
    frame.pictType = av.AV_PICTURE_TYPE_NONE;
    encoder.sendFrameSync(frame);
    collect(encoder, packet, take);
  }
  encoder.sendFrameSync(null);
  collect(encoder, packet, take);
  return { config: configOf(codec, encoder.extraData), frames };
}

/** A gradient that moves, and a flash at the start of each second. Interlaced: the second field has moved on. */
function drawPicture(frame: Frame, index: number, frameRate: number, is10Bit: boolean, isInterlaced: boolean): void {
  const isFlash = (index / frameRate) % 1 < FLASH_S;
  const [luma, ...chroma] = frame.data ?? [];
  const [stride = 0] = frame.linesize;
  if (luma === undefined) return;
  const scale = is10Bit ? 4 : 1;
  for (let y = 0; y < frame.height; y++) {
    const line = is10Bit
      ? new Uint16Array(luma.buffer, luma.byteOffset + y * stride, frame.width)
      : luma.subarray(y * stride, y * stride + frame.width);
    const step = index * 4 + (isInterlaced && y % 2 === 1 ? 40 : 0);
    if (isFlash) line.fill(235 * scale);
    else for (let x = 0; x < line.length; x++) line[x] = (16 + ((x + y + step) & 127)) * scale;
  }
  for (const plane of chroma) {
    if (is10Bit) new Uint16Array(plane.buffer, plane.byteOffset, plane.byteLength >> 1).fill(512);
    else plane.fill(128);
  }
}

async function makeAudio(
  options: NonNullable<SourceOptions['audio']>,
  seconds: number,
): Promise<{ config: Uint8Array; frames: MadeFrame[] }> {
  const { codec, sampleRate, channels } = options;
  const isPlanar = codec !== 'opus';
  const layout = channels === 1 ? av.AV_CHANNEL_LAYOUT_MONO : av.AV_CHANNEL_LAYOUT_STEREO;
  const encoder = await openEncoder(av, AUDIO_ENCODERS[codec], (context) => {
    context.sampleRate = sampleRate;
    context.sampleFormat = isPlanar ? av.AV_SAMPLE_FMT_FLTP : av.AV_SAMPLE_FMT_FLT;
    context.channelLayout = layout;
    context.bitRate = 128_000n;
    context.timeBase = new av.Rational(1, sampleRate);
    context.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER);
  });
  const packet = newPacket();
  const frames: MadeFrame[] = [];
  const take = (coded: Packet, payload: Uint8Array): void => {
    const pts = Number(coded.pts);
    if (pts >= 0) frames.push({ kind: 'audio', dts: pts, pts, isKeyframe: true, payload });
  };
  const frame = newFrame();
  frame.nbSamples = encoder.frameSize;
  frame.sampleRate = sampleRate;
  frame.format = encoder.sampleFormat;
  frame.channelLayout = layout;
  frame.getBuffer();
  for (let start = 0; start < seconds * sampleRate; start += frame.nbSamples) {
    frame.makeWritable();
    const planes = (frame.data ?? []).map((plane) => new Float32Array(plane.buffer, plane.byteOffset, plane.byteLength >> 2));
    for (let index = 0; index < frame.nbSamples; index++) {
      const time = (start + index) / sampleRate;
      const value = time % 1 < FLASH_S ? 0.5 * Math.sin(2 * Math.PI * 1000 * time) : 0;
      for (let channel = 0; channel < channels; channel++) {
        const [plane, at] = isPlanar ? [planes[channel], index] : [planes[0], index * channels + channel];
        if (plane !== undefined) plane[at] = value;
      }
    }
    frame.pts = BigInt(start);
    encoder.sendFrameSync(frame);
    collect(encoder, packet, take);
  }
  return { config: Uint8Array.from(encoder.extraData ?? []), frames };
}

function payloadOf(codec: VideoCodec, data: Uint8Array): Uint8Array {
  return codec === 'h264' || codec === 'hevc' ? annexBToLengthPrefixed(data) : toTrackPayload(codec, data, 4);
}

function configOf(codec: VideoCodec, extradata: Uint8Array | null): Uint8Array {
  if (extradata === null) return new Uint8Array();
  const units = splitAnnexB(extradata);
  const h264 = (type: number): Uint8Array[] => units.filter(([first = 0]) => (first & 31) === type);
  const hevc = (type: number): Uint8Array[] => units.filter(([first = 0]) => ((first >> 1) & 63) === type);
  if (codec === 'h264') return buildH264Config(h264(7), h264(8));
  return codec === 'hevc' ? buildHevcConfig(hevc(32), hevc(33), hevc(34)) : new Uint8Array();
}

function openDecoder(track: Track): CodecContext {
  const ids = {
    h264: av.AV_CODEC_ID_H264,
    hevc: av.AV_CODEC_ID_HEVC,
    av1: av.AV_CODEC_ID_AV1,
    vp8: av.AV_CODEC_ID_VP8,
    vp9: av.AV_CODEC_ID_VP9,
    aac: av.AV_CODEC_ID_AAC,
    opus: av.AV_CODEC_ID_OPUS,
    mp3: av.AV_CODEC_ID_MP3,
  };
  const codec = av.Codec.findDecoder(ids[track.codec]);
  const context = new av.CodecContext();
  context.allocContext3(codec);
  const config = track.codec === 'opus' ? buildOpusHead(parseOpusConfig(track.config)) : track.config;
  if (config.length > 0 && track.codec !== 'vp8' && track.codec !== 'vp9') context.extraData = Buffer.from(config);
  context.pktTimebase = new av.Rational(1, track.timescale);
  if (track.kind === 'audio') {
    context.sampleRate = track.sampleRate;
    context.channelLayout = av.avChannelLayoutDefault(track.channels);
  }
  context.threadCount = 1;
  if (context.open2Sync(codec, null) < 0) throw new Error(`no decoder opens for ${track.codec}`);
  return context;
}

function decode({ track, frames }: Extract<MediaTask, { kind: 'decode' }>): DecodedMedia {
  const decoder = openDecoder(track);
  const packet = newPacket();
  const frame = newFrame();
  const pictures: DecodedPicture[] = [];
  const sound = { sampleRate: 0, channels: 0, samples: 0, beeps: [] as number[], quiet: Number.POSITIVE_INFINITY };
  let format = '';
  const drain = (): void => {
    while (decoder.receiveFrameSync(frame) >= 0) {
      if (track.kind === 'video') {
        format = av.avGetPixFmtName(frame.format as typeof av.AV_PIX_FMT_YUV420P) ?? '';
        pictures.push(look(frame));
      } else listen(frame, track.timescale, sound);
      frame.unref();
    }
  };
  for (const { pts, dts, payload } of frames) {
    packet.data = Buffer.from(payload);
    packet.pts = BigInt(pts);
    packet.dts = BigInt(dts);
    const result = decoder.sendPacketSync(packet);
    if (result < 0) throw new Error(`frame at ${pts} is refused: ${av.FFmpegError.strerror(result)}`);
    packet.unref();
    drain();
  }
  decoder.sendPacketSync(null);
  drain();
  const { sampleRate, channels, samples, beeps } = sound;
  return { pictures, format, sampleRate, channels, samples, beeps };
}

function look(frame: Frame): DecodedPicture {
  const luma = frame.data?.[0];
  const [stride = 0] = frame.linesize;
  let sum = 0;
  let count = 0;
  for (let y = 0; y < frame.height; y += 8) {
    for (let x = 0; x < frame.width; x += 8) {
      sum += luma?.[y * stride + x] ?? 0;
      count++;
    }
  }
  const types = new Map([
    [av.AV_PICTURE_TYPE_I, 'I'],
    [av.AV_PICTURE_TYPE_P, 'P'],
    [av.AV_PICTURE_TYPE_B, 'B'],
  ]);
  return {
    pts: Number(frame.pts),
    width: frame.width,
    height: frame.height,
    type: types.get(frame.pictType) ?? '?',
    isInterlaced: frame.hasFlags(av.AV_FRAME_FLAG_INTERLACED),
    luma: sum / count,
  };
}

function listen(
  frame: Frame,
  timescale: number,
  sound: { sampleRate: number; channels: number; samples: number; beeps: number[]; quiet: number },
): void {
  const { sampleRate, nbSamples } = frame;
  const isPlanar = av.avSampleFmtIsPlanar(frame.format as typeof av.AV_SAMPLE_FMT_FLT);
  const plane = frame.data?.[0];
  if (plane === undefined) return;
  const values = new Float32Array(plane.buffer, plane.byteOffset, plane.byteLength >> 2);
  const step = isPlanar ? 1 : frame.channels;
  sound.sampleRate = sampleRate;
  sound.channels = frame.channels;
  sound.samples += nbSamples;
  for (let index = 0; index < nbSamples; index++) {
    const isLoud = Math.abs(values[index * step] ?? 0) > 0.1;
    if (isLoud && sound.quiet > sampleRate / 5) sound.beeps.push(Number(frame.pts) / timescale + index / sampleRate);
    sound.quiet = isLoud ? 0 : sound.quiet + 1;
  }
}

async function make({ video, audio, seconds }: SourceOptions): Promise<MadeSource> {
  const pictures = video && (await makeVideo(video, seconds));
  const sound = audio && (await makeAudio(audio, seconds));
  return {
    videoConfig: pictures?.config ?? new Uint8Array(),
    audioConfig: sound?.config ?? new Uint8Array(),
    frames: [...(pictures?.frames ?? []), ...(sound?.frames ?? [])],
  };
}

process.once('message', (task: MediaTask) => {
  void Promise.resolve()
    .then(async (): Promise<MadeSource | DecodedMedia> => (task.kind === 'make' ? await make(task.options) : decode(task)))
    .then(
      (result) => process.send?.(result, () => process.kill(process.pid, 'SIGKILL')),
      (error: unknown) => {
        process.stderr.write(String(error), () => process.exit(1));
      },
    );
});
