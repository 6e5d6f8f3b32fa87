import { Type } from '@sinclair/typebox';
import { isName } from '../core/mod.ts';
import type { ClusterView } from './cluster-view.ts';
import { closedApp, streamNotFound } from './grant.ts';
import { thumbnailReply } from './node-thumbnails.ts';
import type { Operation, OperationContext } from './operation.ts';
import { ApiError } from './problem.ts';
import { streamParamsSchema } from './schemas.ts';
import type { ThumbnailAnswer, ThumbnailSource } from './thumbnail-answer.ts';

export interface ThumbnailOperationsOptions {
  readonly source: ThumbnailSource;
  /** The streams of all nodes. */
  readonly view: Pick<ClusterView, 'stream' | 'ask' | 'ownId'>;
  /** Whether everybody may play the streams of an app. */
  readonly isOpen: (app: string) => boolean;
  readonly now: () => number;
}

/** So long a picture from another node holds. */
const FRESH_MS = 5_000;
/** So long it holds that there is none. */
const FAILED_MS = 2_000;
const KEPT_MAX = 200;
const MEDIA_TYPE = 'image/jpeg';

const DESCRIPTION = `The newest keyframe of a live stream as a JPEG of at most 320 pixels in width, some seconds old. Any node answers: one that has not the stream asks its
origin. \`ETag\` tells which keyframe it is, so that asking again with \`If-None-Match\` costs nothing while it is the same. Of an app whose streams not everybody may play, only callers
with an API key (or a session of the console) get it. Without the optional package node-av there are none (\`thumbnails.unavailable\`).`;

/** `GET /streams/APP/NAME/thumbnail.jpg`. */
export function thumbnailOperations(options: ThumbnailOperationsOptions): readonly Operation[] {
  const asked = new AskedThumbnails(options);
  return [
    {
      // Not "get…": what it answers is no resource in JSON.
      id: 'showStreamThumbnail',
      method: 'GET',
      path: '/streams/:app/:name/thumbnail.jpg',
      summary: 'See what a stream shows',
      description: DESCRIPTION.replaceAll('\n', ' '),
      scope: 'public',
      params: streamParamsSchema,
      success: {
        status: 200,
        mediaType: MEDIA_TYPE,
        schema: Type.String({ format: 'binary', description: 'A JPEG (JFIF)', examples: ['(the bytes of a JPEG)'] }),
      },
      errors: [
        'api.stream-not-found',
        'cluster.node-silent',
        'thumbnails.no-video',
        'thumbnails.no-keyframe',
        'thumbnails.busy',
        'thumbnails.failed',
        'thumbnails.unavailable',
      ],
      handle: (context) => answer(options, asked, context),
    },
  ];
}

async function answer(options: ThumbnailOperationsOptions, asked: AskedThumbnails, context: OperationContext): Promise<Uint8Array> {
  const { params, answer: reply } = context;
  const { app = '', name = '' } = params;
  const path = `${app}/${name}`;
  if (!isName(app) || !isName(name)) throw streamNotFound(path);
  allow(options, context, app);
  const local = await options.source.thumbnail(path);
  const found = local === undefined || isPassing(local) ? ((await asked.ask(path)) ?? local) : local;
  if (found === undefined) throw streamNotFound(path);
  if (!('jpeg' in found)) {
    const { code, detail, retryAfterS } = found;
    throw new ApiError(code, detail, retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) });
  }
  reply.header('etag', found.etag);
  reply.header('cache-control', 'private, max-age=5');
  return found.jpeg;
}

/** The picture itself is what is played: who may not play sees none. A key says more than a policy. */
function allow({ isOpen }: ThumbnailOperationsOptions, { isPrivileged }: OperationContext, app: string): void {
  if (!isPrivileged && !isOpen(app)) throw closedApp();
}

/** Whether another node may have more to show: a stream that has only just come here has no keyframe yet. */
const isPassing = (found: ThumbnailAnswer): boolean => !('jpeg' in found) && found.code === 'thumbnails.no-keyframe';

/** The pictures of streams that are on other nodes, asked of their origins, and kept for some seconds. */
class AskedThumbnails {
  private readonly options: ThumbnailOperationsOptions;
  /** By path, the oldest first. */
  private readonly kept = new Map<string, { until: number; readonly answer: Promise<ThumbnailAnswer | undefined> }>();

  constructor(options: ThumbnailOperationsOptions) {
    this.options = options;
  }

  /** Undefined where no other node publishes the stream. Throws when its origin is silent. */
  async ask(path: string): Promise<ThumbnailAnswer | undefined> {
    const { view, now } = this.options;
    const stream = view.stream(path);
    if (stream === undefined || stream.holder.node === view.ownId) return undefined;
    const known = this.kept.get(path);
    if (known !== undefined && known.until > now()) return known.answer;
    const kept = { until: Number.POSITIVE_INFINITY, answer: this.askNode(stream.holder.node, path) };
    this.kept.delete(path);
    this.kept.set(path, kept);
    this.forget();
    let holdsMs = FAILED_MS;
    try {
      const answer = await kept.answer;
      if (answer !== undefined && 'jpeg' in answer) holdsMs = FRESH_MS;
      return answer;
    } finally {
      kept.until = now() + holdsMs;
    }
  }

  private async askNode(node: string, path: string): Promise<ThumbnailAnswer | undefined> {
    const said = await this.options.view.ask(node, 'thumbnail', path);
    const read = thumbnailReply(said);
    if (read === 'none') return undefined;
    if (read === undefined)
      throw new ApiError('cluster.node-silent', `the origin ${node} does not answer: try again soon`, { 'retry-after': '2' });
    return read;
  }

  private forget(): void {
    const now = this.options.now();
    for (const [path, { until }] of this.kept) {
      if (this.kept.size <= KEPT_MAX && until > now) return;
      this.kept.delete(path);
    }
  }
}
