export { Recorder, type RecorderOptions, type RecorderOutput } from './recorder.ts';
export { isFailure, RECORDING_ENDS, type RecordingEnd, type RecordingState } from './recording-end.ts';
export {
  decodeRecording,
  encodeRecording,
  isRecordingId,
  RECORDINGS_MAX,
  RECORDINGS_PREFIX,
  type RecordedTrack,
  type RecordingRecord,
  recordedTrack,
  recordingId,
  recordingKey,
} from './recording-record.ts';
