import { type AcceptedSection, acceptFormat, assembleAnswer, type SdpAnswer, unusableReason } from './answer-assembly.ts';
import { encodings, formatsOf, rtxFormatOf, type SdpCodec } from './codecs.ts';
import { answerH264Parameters, bestH264Format, type H264Match } from './h264-profile.ts';
import { directionOf, type LocalTransport, playExtensionUris, type RejectedMedia, type RejectionReason } from './negotiated.ts';
import type { SdpMediaSection, SdpPayloadFormat, SdpSource, SessionDescription } from './session-description.ts';

/** A track of ours that a viewer may get. */
export interface PlayTrack {
  readonly codec: SdpCodec;
  /** Of an H.264 stream: from its sequence parameter set, six hexadecimal digits. */
  readonly h264ProfileLevelId?: string;
  /** Of a VP9, AV1 or HEVC stream; absent: the main profile (0, 0, 1). */
  readonly profile?: number;
  readonly ssrc: number;
  /** Absent: no retransmissions. */
  readonly rtxSsrc?: number;
  readonly cname: string;
  /** `a=msid`'s two ids. */
  readonly streamId: string;
  readonly trackId: string;
}

/** Settings of {@link answerPlay}. */
export interface AnswerPlayOptions {
  readonly transport: LocalTransport;
  /** URIs of header extensions to be written; default {@link playExtensionUris}. */
  readonly extensions?: readonly string[];
}

/** What a stream without a known profile is taken for: what every browser plays. */
const USUAL_PROFILE_LEVEL_ID = '42e01f';
const profileParameters: Partial<Record<SdpCodec, { readonly name: string; readonly main: number }>> = {
  vp9: { name: 'profile-id', main: 0 },
  av1: { name: 'profile', main: 0 },
  hevc: { name: 'profile-id', main: 1 },
};

interface Choice {
  readonly trackIndex: number;
  readonly track: PlayTrack;
  readonly format: SdpPayloadFormat;
  readonly match?: H264Match;
}

function chooseFormat(section: SdpMediaSection, track: PlayTrack): Pick<Choice, 'format' | 'match'> | undefined {
  const formats = formatsOf(section, track.codec);
  if (track.codec === 'h264') return bestH264Format(formats, track.h264ProfileLevelId ?? USUAL_PROFILE_LEVEL_ID);
  const parameter = profileParameters[track.codec];
  const format = formats.find(
    ({ parameters }) =>
      parameter === undefined || Number(parameters.get(parameter.name) ?? parameter.main) === (track.profile ?? parameter.main),
  );
  return format === undefined ? undefined : { format };
}

function answerParameters(codec: SdpCodec, format: SdpPayloadFormat): ReadonlyMap<string, string> {
  const { parameters } = format;
  if (codec === 'h264') return answerH264Parameters(format);
  if (codec !== 'opus') return parameters;
  const stereo =
    parameters.get('stereo') === '1'
      ? ([
          ['stereo', '1'],
          ['sprop-stereo', '1'],
        ] as const)
      : [];
  return new Map([['minptime', '10'], ['useinbandfec', '1'], ...stereo]);
}

/** `a=ssrc` and FID lines of one track of ours (RFC 5576 §4.2, RFC 4588 §8.3). */
export function sourceAttributes(
  track: Pick<PlayTrack, 'ssrc' | 'rtxSsrc' | 'cname' | 'streamId' | 'trackId'>,
): Pick<SdpMediaSection, 'msids' | 'sources' | 'sourceGroups'> {
  const { ssrc, rtxSsrc, cname } = track;
  const msid = `${track.streamId} ${track.trackId}`;
  const sources: SdpSource[] = [{ ssrc, cname, msid }, ...(rtxSsrc === undefined ? [] : [{ ssrc: rtxSsrc, cname, msid }])];
  return { msids: [msid], sources, sourceGroups: rtxSsrc === undefined ? [] : [{ semantics: 'FID', ssrcs: [ssrc, rtxSsrc] }] };
}

function choose(section: SdpMediaSection, wanted: readonly PlayTrack[]): Choice | undefined {
  for (const [trackIndex, track] of wanted.entries()) {
    if (encodings[track.codec].kind !== section.kind) continue;
    const chosen = chooseFormat(section, track);
    if (chosen !== undefined) return { trackIndex, track, ...chosen };
  }
  return undefined;
}

function acceptChoice(section: SdpMediaSection, sectionIndex: number, choice: Choice, options: AnswerPlayOptions): AcceptedSection {
  const { track, format } = choice;
  const rtx = track.rtxSsrc === undefined ? undefined : rtxFormatOf(section, format.payloadType);
  const { rtxSsrc: _unused, ...withoutRtx } = track;
  const accepted = acceptFormat(
    section,
    sectionIndex,
    { codec: track.codec, format, parameters: answerParameters(track.codec, format) },
    rtx,
    { direction: 'sendonly', extensionUris: options.extensions ?? playExtensionUris },
  );
  return {
    section: { ...accepted.section, ...sourceAttributes(rtx === undefined ? withoutRtx : track) },
    media: { ...accepted.media, trackIndex: choice.trackIndex, ...(choice.match === undefined ? {} : { h264Match: choice.match }) },
  };
}

/**
 * Answers a viewer (WHEP). Of `wanted`, best first, each kind's first track that the viewer can decode goes to the first section that asks for
 * media of the kind; all other sections are rejected by port 0, and `negotiated.rejected` says why. Throws as `answerPublish` does.
 */
export function answerPlay(offer: SessionDescription, wanted: readonly PlayTrack[], options: AnswerPlayOptions): SdpAnswer {
  const accepted: AcceptedSection[] = [];
  const rejected: RejectedMedia[] = [];
  for (const [sectionIndex, section] of offer.media.entries()) {
    const { kind, mid } = section;
    const reject = (reason: RejectionReason): void =>
      void rejected.push({ sectionIndex, kind, reason, ...(mid === undefined ? {} : { mid }) });
    const direction = directionOf(offer, section);
    const unusable = unusableReason(section);
    if (unusable !== undefined) reject(unusable);
    else if (direction !== 'recvonly' && direction !== 'sendrecv') reject('direction');
    else if (accepted.some(({ media }) => media.kind === kind)) reject('surplus');
    else if (!wanted.some(({ codec }) => encodings[codec].kind === kind)) reject('no-track');
    else {
      const choice = choose(section, wanted);
      if (choice === undefined) reject('no-usable-codec');
      else accepted.push(acceptChoice(section, sectionIndex, choice, options));
    }
  }
  return assembleAnswer(offer, options.transport, accepted, rejected);
}
