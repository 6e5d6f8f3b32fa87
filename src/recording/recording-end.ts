/** Why a recording ended: a code that is never renamed, and what it says to people. */
export const RECORDING_ENDS = {
  'stream-ended': 'the stream is over',
  length: 'it is as long as a file may be: the next one goes on right behind it',
  'tracks-changed': 'the tracks of the stream changed: the next one goes on with the new ones',
  'switched-off': 'the app is not recorded any more',
  'limit-recording-minutes': 'the app has used the recording minutes that it may have this month',
  'disk-full': 'there is no room on the disk of the node',
  'write-failed': 'the file cannot be written: the log of the node says why',
  moved: 'another node has the publisher of the stream now, and goes on with it',
  'server-stopped': 'the node was stopped',
  interrupted: 'the process of the node died: what it had written is there',
  found: 'the node found the file, of which the catalogue knew nothing',
  deleted: 'it was deleted',
  'catalogue-full': 'there are as many recordings as may be: delete some',
} as const;
export type RecordingEnd = keyof typeof RECORDING_ENDS;

/** How it stands with a stream that its app wants recorded: `waiting` is for a keyframe, or the publisher; a code says why it cannot be recorded now. */
export type RecordingState = 'recording' | 'waiting' | RecordingEnd;

/** Those behind which the same stream is tried again in a while. */
export const isFailure = (end: RecordingEnd): boolean => end === 'disk-full' || end === 'write-failed';

export const readRecordingEnd = (value: unknown): RecordingEnd | undefined =>
  typeof value === 'string' && Object.hasOwn(RECORDING_ENDS, value) ? (value as RecordingEnd) : undefined;
