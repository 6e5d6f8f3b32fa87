export { RecordingAnswers } from './recording-answers.ts';
export { Recordings, type RecordingsOptions } from './recordings.ts';
