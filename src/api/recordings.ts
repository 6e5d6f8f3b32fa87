import type { ServerResponse } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { RECORDING_ENDS, type RecordingRecord } from '../recording/mod.ts';
import { byteRange } from './byte-range.ts';
import type { Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import type { RecordingLinks } from './recording-links.ts';
import type { RecordingPage, RecordingResource } from './recordings-contract.ts';
import {
  recordingFileQuerySchema,
  recordingPageSchema,
  recordingParamsSchema,
  recordingSchema,
  recordingsQuerySchema,
} from './recordings-schemas.ts';

/** A recording's file, opened to be read. It is to be closed. */
export interface RecordingBytes {
  /** As far as it is whole. */
  readonly sizeBytes: number;
  /** From the first byte to the last one, both counted from 0. The stream closes the file at its end, or when it is destroyed. */
  read(first: number, last: number): Readable;
  close(): void;
}

/** What the API needs of recordings. */
export interface RecordingRegistry {
  readonly ownId: string;
  all(): Iterable<RecordingRecord>;
  find(id: string): RecordingRecord | undefined;
  /** Rejects with `ApiError`. */
  remove(id: string): Promise<void>;
  /** The file of one of this node's; undefined: it is not there. */
  open(record: RecordingRecord): Promise<RecordingBytes | undefined>;
  /** Where another node is reached by HTTP; undefined: not now. */
  urlOf(node: string): string | undefined;
  readonly links: RecordingLinks;
}

/** Files that are sent at a time. */
const SENDING_MAX = 64;
const MEDIA_TYPE = 'video/mp4';
const FILE = `The recording as a fragmented MP4, also while it is written. A part of it with \`Range\`. A node that has not the file sends on to the one that has it, by 307: the
address that it gives is good for this file and five minutes, without a key.`;

const common = { scope: 'app', tag: 'recordings' } as const;

/** The operations on the catalogue of recordings. */
export function recordingOperations(recordings: RecordingRegistry): readonly Operation[] {
  const files = new FileAnswers(recordings);
  return [
    {
      ...common,
      id: 'listRecordings',
      method: 'GET',
      path: '/recordings',
      summary: 'List the recordings',
      description: 'Of the apps that the key may see, on all nodes; the newest first, in pages.',
      query: recordingsQuerySchema,
      success: { status: 200, schema: recordingPageSchema },
      handle: ({ query, grant }): RecordingPage => {
        const { items, ...rest } = pageOf(
          asked(recordings.all(), query, (app) => grant.maySee(app)),
          ({ id }) => id,
          query,
        );
        return { items: items.map(recordingResource), ...rest };
      },
    },
    {
      ...common,
      id: 'getRecording',
      method: 'GET',
      path: '/recordings/:id',
      summary: 'Look at one recording',
      description: 'What another node is recording now is as long as it was at most 15 s ago.',
      params: recordingParamsSchema,
      success: { status: 200, schema: recordingSchema },
      errors: ['recordings.not-found'],
      handle: (context) => recordingResource(found(recordings, context)),
    },
    {
      ...common,
      // Not "get…": what it answers is no resource in JSON.
      id: 'downloadRecording',
      method: 'GET',
      path: '/recordings/:id/file',
      summary: 'Get the file of a recording',
      description: FILE.replaceAll('\n', ' '),
      params: recordingParamsSchema,
      query: recordingFileQuerySchema,
      admits: ({ id = '' }, { token }) => recordings.links.opens(id, token as string | undefined),
      success: { status: 200, mediaType: MEDIA_TYPE, schema: Type.String({ format: 'binary', examples: ['(the bytes of an MP4)'] }) },
      otherAnswers: { 206: 'The part that `Range` asks for', 307: 'Another node has it: `Location` says where' },
      errors: ['recordings.not-found', 'recordings.file-gone', 'recordings.range', 'recordings.busy', 'cluster.node-silent'],
      handle: (context) => files.answer(found(recordings, context), context),
    },
    {
      ...common,
      id: 'deleteRecording',
      method: 'DELETE',
      path: '/recordings/:id',
      summary: 'Delete a recording',
      description:
        'With its file: at once, or when the node that has it is back. One that is being recorded ends; the stream goes on in another one while its app is recorded.',
      params: recordingParamsSchema,
      success: { status: 204 },
      errors: ['recordings.not-found'],
      handle: async (context) => {
        const record = found(recordings, context);
        await recordings.remove(record.id);
        context.note({ app: record.app, before: recordingResource(record) });
      },
    },
  ];
}

function* asked(
  all: Iterable<RecordingRecord>,
  query: OperationContext['query'],
  maySee: (app: string) => boolean,
): Iterable<RecordingRecord> {
  const { app, stream } = query;
  for (const record of all) {
    if ((app === undefined || record.app === app) && (stream === undefined || record.stream === stream) && maySee(record.app)) yield record;
  }
}

/** Another tenant's is answered like one that there is not. */
function found(recordings: RecordingRegistry, { params, grant }: OperationContext): RecordingRecord {
  const id = params['id'] ?? '';
  const record = recordings.find(id);
  if (record === undefined || !grant.maySee(record.app))
    throw new ApiError('recordings.not-found', `no recording has the id ${JSON.stringify(id)}: GET /api/v1/recordings lists them`);
  return record;
}

function recordingResource(record: RecordingRecord): RecordingResource {
  const { id, app, stream, node, startedAtMs, endedAtMs, durationMs, sizeBytes, droppedFrames, tracks, end } = record;
  return {
    id,
    app,
    stream,
    node,
    state: end === undefined ? 'recording' : 'ended',
    startedAt: new Date(startedAtMs).toISOString(),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
    durationSeconds: durationMs / 1000,
    sizeBytes,
    droppedFrames,
    tracks: tracks.map(({ kind, codec, width, height }) => ({
      kind,
      codec,
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
    })),
    ...(end === undefined ? {} : { reason: { code: end, message: RECORDING_ENDS[end] } }),
  };
}

/** Sends files, some at a time. */
class FileAnswers {
  private readonly recordings: RecordingRegistry;
  private sending = 0;

  constructor(recordings: RecordingRegistry) {
    this.recordings = recordings;
  }

  async answer(record: RecordingRecord, { caller, answer }: OperationContext): Promise<void> {
    if (record.node !== this.recordings.ownId) {
      const { links } = this.recordings;
      const location = `${this.urlOf(record.node)}/api/v1/recordings/${record.id}/file?token=${links.tokenFor(record.id)}`;
      answer
        .takeOver()
        .response.writeHead(307, { ...HEADERS, location, 'content-length': '0' })
        .end();
      return;
    }
    if (this.sending >= SENDING_MAX)
      throw new ApiError('recordings.busy', `${SENDING_MAX} are sent at the moment: try again later`, { 'retry-after': '10' });
    this.sending++;
    const done = (): void => {
      this.sending--;
    };
    try {
      this.send(await this.opened(record), record, caller.header('range'), answer, done);
    } catch (error) {
      done();
      throw error;
    }
  }

  private send(
    file: RecordingBytes,
    record: RecordingRecord,
    header: string | undefined,
    answer: OperationContext['answer'],
    done: () => void,
  ): void {
    const { sizeBytes } = file;
    const range = byteRange(header, sizeBytes);
    if (range === 'none') {
      file.close();
      throw new ApiError('recordings.range', `the file has ${sizeBytes} bytes: ask for some of them`, {
        'content-range': `bytes */${sizeBytes}`,
      });
    }
    const { request, response } = answer.takeOver();
    const { first, last } = range === 'whole' ? { first: 0, last: sizeBytes - 1 } : range;
    response.writeHead(range === 'whole' ? 200 : 206, {
      ...HEADERS,
      'content-type': MEDIA_TYPE,
      'content-length': String(last - first + 1),
      'accept-ranges': 'bytes',
      'content-disposition': `attachment; filename="${record.app}-${record.stream}-${record.id}.mp4"`,
      ...(range === 'whole' ? {} : { 'content-range': `bytes ${first}-${last}/${sizeBytes}` }),
    });
    if (request.method === 'HEAD') {
      file.close();
      response.end();
      done();
    } else pass(file.read(first, last), response, done);
  }

  private async opened(record: RecordingRecord): Promise<RecordingBytes> {
    const file = record.sizeBytes === 0 ? undefined : await this.recordings.open(record);
    if (file === undefined) throw new ApiError('recordings.file-gone', 'nothing was written, or the file was taken away on its node');
    return file;
  }

  private urlOf(node: string): string {
    const url = this.recordings.urlOf(node);
    if (url === undefined)
      throw new ApiError('cluster.node-silent', `the node ${node}, which has the file, is away: try again when it is back`, {
        'retry-after': '30',
      });
    return url;
  }
}

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** A client that hangs up, or a disk that fails on the way, ends the connection. */
function pass(bytes: Readable, response: ServerResponse, done: () => void): void {
  pipeline(bytes, response, done);
}
