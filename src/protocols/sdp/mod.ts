export type { SdpAnswer } from './answer-assembly.ts';
export { type AnswerPlayOptions, answerPlay, type PlayTrack } from './answer-play.ts';
export { type AnswerPublishOptions, answerPublish } from './answer-publish.ts';
export type { SdpAudioCodec, SdpCodec, SdpVideoCodec } from './codecs.ts';
export type { H264Match } from './h264-profile.ts';
export type {
  LocalTransport,
  MediaPreferences,
  Negotiated,
  NegotiatedMedia,
  RejectedMedia,
  RejectionReason,
  RemoteSource,
} from './negotiated.ts';
export { type OfferPlayOptions, type OfferPublishOptions, offerPlay, offerPublish, type SdpOffer } from './offers.ts';
export { parseSessionDescription } from './parse-session.ts';
export { readAnswer } from './read-answer.ts';
export type { RemoteFingerprint, RemoteTransport } from './remote-transport.ts';
export type {
  SdpDirection,
  SdpExtension,
  SdpFingerprint,
  SdpIceCredentials,
  SdpMediaSection,
  SdpPayloadFormat,
  SessionDescription,
} from './session-description.ts';
export { writeSessionDescription } from './write-session.ts';
