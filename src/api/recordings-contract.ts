/** A track of a recording. */
export interface RecordedTrackResource {
  kind: 'video' | 'audio';
  codec: string;
  /** Of video. */
  width?: number;
  height?: number;
}

/** A file that a stream was recorded in, or a part of it. */
export interface RecordingResource {
  id: string;
  app: string;
  /** The stream's name in its app. */
  stream: string;
  /** The node that has the file. */
  node: string;
  state: 'recording' | 'ended';
  startedAt: string;
  endedAt?: string;
  durationSeconds: number;
  sizeBytes: number;
  /** Left out as the disk was slow, each time up to a keyframe. */
  droppedFrames: number;
  tracks: RecordedTrackResource[];
  /** Why it ended. */
  reason?: { code: string; message: string };
}

export interface RecordingPage {
  items: RecordingResource[];
  nextCursor?: string;
}
