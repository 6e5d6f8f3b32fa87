import type { ClusterView } from './cluster-view.ts';
import { appOf, closedApp, type Grant, streamNotFound } from './grant.ts';
import { JsonText, type Operation, type OperationContext } from './operation.ts';
import { pageOf, seen } from './page.ts';
import { ApiError } from './problem.ts';
import { streamListSchema, streamPageSchema, streamParamsSchema, streamSchema } from './schemas.ts';
import { StreamAnswers } from './stream-answers.ts';
import { type FoundStream, type StreamDirectory, StreamLookup } from './stream-lookup.ts';
import type { StreamResourceOptions } from './stream-resource.ts';
import { StreamTexts } from './stream-texts.ts';

export interface StreamOperationsOptions extends StreamResourceOptions {
  /** Whether everybody may play the streams of an app: who has no key sees no others. */
  readonly isOpen: (app: string) => boolean;
}

const SILENT = 'Callers with an API key or on loopback are answered by all nodes: those that do not answer within a second are left out.';

/** The operations on streams, of all nodes. */
export function streamOperations(directory: StreamDirectory, view: ClusterView, options: StreamOperationsOptions): readonly Operation[] {
  const lookup = new StreamLookup(directory, view);
  const list = new StreamList(lookup, view, options);
  const found = (params: OperationContext['params']): FoundStream => {
    const path = `${params['app']}/${params['name']}`;
    const stream = lookup.find(path);
    if (stream === undefined) throw streamNotFound(path);
    return stream;
  };
  return [
    {
      id: 'listStreams',
      method: 'GET',
      path: '/streams',
      summary: 'List the streams',
      description: `All streams of any node that are live or held, ordered by path, in pages: with the key of an app its own, and without a key those that everybody may play. ${SILENT}`,
      scope: 'public',
      query: streamListSchema,
      success: { status: 200, schema: streamPageSchema },
      handle: (context) => list.page(context),
    },
    {
      id: 'getStream',
      method: 'GET',
      path: '/streams/:app/:name',
      summary: 'Look at one stream',
      description: `Tracks, renditions, publisher, origin, viewers by protocol, bitrate, latency, uptime, and which nodes have it, by which way. ${SILENT}`,
      scope: 'public',
      params: streamParamsSchema,
      success: { status: 200, schema: streamSchema },
      errors: ['api.stream-not-found'],
      handle: ({ params, isPrivileged }) => {
        if (!isPrivileged && !options.isOpen(params['app'] ?? '')) throw closedApp();
        return list.answers.detail(found(params), isPrivileged);
      },
    },
    {
      id: 'deleteStream',
      method: 'DELETE',
      path: '/streams/:app/:name',
      summary: 'End a stream',
      description:
        'Has its origin close the publisher and end the stream for its viewers. The publisher may come back: to keep it out, change the key.',
      scope: 'app',
      params: streamParamsSchema,
      success: { status: 204 },
      errors: ['api.stream-not-found', 'cluster.node-silent'],
      handle: async ({ params, note }) => {
        const { path, origin, isOwn } = found(params);
        const isEnded = isOwn ? directory.remove(path) : await view.ask(origin, 'end-stream', path);
        if (isEnded === undefined) throw new ApiError('cluster.node-silent', `the origin ${origin} does not answer: try again soon`);
        if (isEnded !== true) throw streamNotFound(path);
        note({ app: params['app'] ?? '' });
      },
    },
  ];
}

/** Pages of streams. Most servers have no other nodes, and are asked for their lists a great deal: these are put together from texts that are kept. */
class StreamList {
  readonly answers: StreamAnswers;
  private readonly lookup: StreamLookup;
  private readonly view: ClusterView;
  private readonly options: StreamOperationsOptions;
  private readonly texts: StreamTexts;

  constructor(lookup: StreamLookup, view: ClusterView, options: StreamOperationsOptions) {
    this.lookup = lookup;
    this.view = view;
    this.options = options;
    this.answers = new StreamAnswers(view, options);
    this.texts = new StreamTexts(options);
  }

  async page({ query, isPrivileged, grant }: OperationContext): Promise<JsonText> {
    const { items, nextCursor } = pageOf(this.wanted(query, isPrivileged, grant), (path) => path, query);
    const found = items.flatMap((path) => this.lookup.find(path) ?? []);
    const texts = isPrivileged && !this.view.isAlone ? await this.asked(found) : this.known(found, isPrivileged);
    return new JsonText(`{"items":[${texts.join()}]${nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`}}`);
  }

  private async asked(found: readonly FoundStream[]): Promise<readonly string[]> {
    return (await this.answers.page(found)).map((stream) => JSON.stringify(stream));
  }

  private known(found: readonly FoundStream[], isPrivileged: boolean): readonly string[] {
    const now = this.options.wall();
    return found.map((stream) =>
      stream.isOwn && stream.here !== undefined
        ? this.texts.text(stream.here, this.answers.originOf(stream), isPrivileged, now)
        : JSON.stringify(this.answers.local(stream, isPrivileged)),
    );
  }

  private wanted(query: OperationContext['query'], isPrivileged: boolean, grant: Grant): Iterable<string> {
    const { lookup, view, options } = this;
    const words = ((query['search'] as string | undefined) ?? '').toLowerCase().split(/\s+/);
    const origin = query['origin'] as string | undefined;
    const maySee = (path: string): boolean => grant.seesAll || (isPrivileged ? grant.maySee(appOf(path)) : options.isOpen(appOf(path)));
    const isSought = (path: string): boolean => {
      const text = path.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const isFrom = (path: string): boolean => origin === undefined || (view.stream(path)?.holder.node ?? view.ownId) === origin;
    return seen(lookup.paths(), (path) => isSought(path) && maySee(path) && isFrom(path));
  }
}
