// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import { type CallOptions, type Page, part, type Transport } from '../transport.ts';

export interface Recording {
  id: string;
  app: string;
  /** The stream's name in its app */
  stream: string;
  /** The node that has the file */
  node: string;
  state: 'recording' | 'ended';
  startedAt: string;
  endedAt?: string;
  /** Of what is written */
  durationSeconds: number;
  sizeBytes: number;
  /** Left out as the disk was slow, each time up to a keyframe */
  droppedFrames: number;
  tracks: {
    kind: 'video' | 'audio';
    codec: string;
    width?: number;
    height?: number;
  }[];
  /** Why it ended: stream-ended, length, tracks-changed, switched-off, limit-recording-minutes, disk-full, write-failed, moved, server-stopped, interrupted, found, deleted, catalogue-full */
  reason?: {
    code: string;
    message: string;
  };
}

export interface ListRecordingsQuery {
  /** How many items at most */
  limit?: number;
  /** `nextCursor` of the page before */
  cursor?: string;
  /** Of this app alone */
  app?: string;
  /** Of streams of this name alone */
  stream?: string;
}

export interface RecordingsApi {
  /** List the recordings. Of the apps that the key may see, on all nodes; the newest first, in pages. */
  readonly list: (query?: ListRecordingsQuery, options?: CallOptions) => Promise<Page<Recording>>;
  /** Look at one recording. What another node is recording now is as long as it was at most 15 s ago. */
  readonly get: (id: string, options?: CallOptions) => Promise<Recording>;
  /** Delete a recording. With its file: at once, or when the node that has it is back. One that is being recorded ends; the stream goes on in another one while its app is recorded. */
  readonly delete: (id: string, options?: CallOptions) => Promise<void>;
}

export const recordingsApi = (send: Transport): RecordingsApi => ({
  list: (query, options) => send({ method: 'GET', path: '/recordings', query, ...options }),
  get: (id, options) => send({ method: 'GET', path: `/recordings/${part(id)}`, ...options }),
  delete: (id, options) => send({ method: 'DELETE', path: `/recordings/${part(id)}`, ...options }),
});
