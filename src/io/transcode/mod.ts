export type { ChildReport } from './child-report.ts';
export type { EncoderKind } from './encoder-names.ts';
export { type EncoderReport, probeEncoders } from './encoder-probe.ts';
export type { MadeHere, PlacedRung, PlacedRungOutput, RungMakers, RungStanding } from './rung-makers.ts';
export type { RungCondition, RungReport } from './stream-transcoding.ts';
export { type TranscodeJob, type TranscodeListener, Transcoder, type TranscoderStats } from './transcoder.ts';
export { Transcoding, type TranscodingOptions, type TranscodingReport } from './transcoding.ts';
