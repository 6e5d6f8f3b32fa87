import type { JsonText, Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema, streamPageSchema, streamParamsSchema, streamSchema } from './schemas.ts';
import { type StreamResourceOptions, type StreamSource, streamResource } from './stream-resource.ts';
import { StreamTexts } from './stream-texts.ts';

/** What the API needs of the hub. */
export interface StreamDirectory {
  streams(): Iterable<StreamSource>;
  stream(path: string): StreamSource | undefined;
  /** Evicts the publisher and ends the stream; false when there is none. */
  remove(path: string): boolean;
}

/** The operations on streams. */
export function streamOperations(directory: StreamDirectory, options: StreamResourceOptions): readonly Operation[] {
  const texts = new StreamTexts(options);
  return [
    {
      id: 'listStreams',
      method: 'GET',
      path: '/streams',
      summary: 'List the streams',
      description: 'All streams that are live or held, ordered by path, in pages.',
      scope: 'public',
      query: pageQuerySchema,
      success: { status: 200, schema: streamPageSchema },
      handle: (context) => listStreams(directory, texts, context),
    },
    {
      id: 'getStream',
      method: 'GET',
      path: '/streams/:app/:name',
      summary: 'Look at one stream',
      description: 'Tracks, publisher, viewers by protocol, bitrate, uptime.',
      scope: 'public',
      params: streamParamsSchema,
      success: { status: 200, schema: streamSchema },
      errors: ['api.stream-not-found'],
      handle: ({ params, isPrivileged }) => {
        const path = pathOf(params);
        const stream = directory.stream(path);
        if (stream === undefined) throw notFound(path);
        return streamResource(stream, options, isPrivileged);
      },
    },
    {
      id: 'deleteStream',
      method: 'DELETE',
      path: '/streams/:app/:name',
      summary: 'End a stream',
      description: 'Closes the publisher and ends the stream for its viewers. The publisher may come back: to keep it out, change the key.',
      scope: 'admin',
      params: streamParamsSchema,
      success: { status: 204 },
      errors: ['api.stream-not-found'],
      handle: ({ params }) => {
        const path = pathOf(params);
        if (!directory.remove(path)) throw notFound(path);
      },
    },
  ];
}

const pathOf = (params: OperationContext['params']): string => `${params['app']}/${params['name']}`;
const notFound = (path: string): ApiError => new ApiError('api.stream-not-found', `${JSON.stringify(path)} is not live now`);

function listStreams(directory: StreamDirectory, texts: StreamTexts, { query, isPrivileged }: OperationContext): JsonText {
  return texts.page(
    pageOf(directory.streams(), ({ ref }) => ref.path, query),
    isPrivileged,
  );
}
