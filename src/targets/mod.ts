export { type GatedFrame, SendGate } from './send-gate.ts';
export {
  TARGET_TIMES,
  type TargetReason,
  type TargetState,
  TargetSupervisor,
  type TargetSupervisorOutput,
  type TargetTimes,
} from './target-supervisor.ts';
export { codecRefusal, enhancedRefusal, sentTracks } from './target-tracks.ts';
export {
  fillUrl,
  parseTargetUrl,
  type RtmpPlace,
  rtmpPlace,
  srtOptions,
  type TargetProtocol,
  type TargetUrl,
  withoutSecrets,
} from './target-url.ts';
