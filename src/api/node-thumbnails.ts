import { Buffer } from 'node:buffer';
import { type TSchema, Type } from '@sinclair/typebox';
import { checked } from './cluster-view.ts';
import type { ThumbnailAnswer, ThumbnailFailure } from './thumbnail-answer.ts';

const CODES: readonly ThumbnailFailure['code'][] = [
  'thumbnails.no-video',
  'thumbnails.no-keyframe',
  'thumbnails.busy',
  'thumbnails.failed',
  'thumbnails.unavailable',
];
/** A message of the cluster's bus has room for it. */
const JPEG_BYTES_MAX = 128 * 1024;

/** A picture as one node sends it to another, in JSON. */
export type ThumbnailReply =
  | { readonly kind: 'none' }
  | { readonly kind: 'jpeg'; readonly base64: string; readonly etag: string }
  | ({ readonly kind: 'failure' } & ThumbnailFailure);

const replySchema: TSchema = Type.Union([
  Type.Object({ kind: Type.Literal('none') }),
  Type.Object({
    kind: Type.Literal('jpeg'),
    base64: Type.String({ maxLength: JPEG_BYTES_MAX * 2 }),
    etag: Type.String({ pattern: '^"[0-9a-z.-]{1,100}"$' }),
  }),
  Type.Object({
    kind: Type.Literal('failure'),
    code: Type.Union(CODES.map((code) => Type.Literal(code))),
    detail: Type.String({ maxLength: 1_000 }),
    retryAfterS: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600 })),
  }),
]);

/** What a node says that is asked for the picture of a stream; undefined: it has no such stream. */
export function replyOfThumbnail(answer: ThumbnailAnswer | undefined): ThumbnailReply {
  if (answer === undefined) return { kind: 'none' };
  if (!('jpeg' in answer)) return { kind: 'failure', ...answer };
  const { jpeg, etag } = answer;
  if (jpeg.length > JPEG_BYTES_MAX)
    return { kind: 'failure', code: 'thumbnails.failed', detail: 'the picture is too large to be passed on' };
  return { kind: 'jpeg', base64: Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength).toString('base64'), etag };
}

/** What another node said, which may run another version; undefined: nothing that can be used. `none`: it has no such stream. */
export function thumbnailReply(said: unknown): ThumbnailAnswer | 'none' | undefined {
  const reply = checked<ThumbnailReply>(replySchema, said);
  if (reply === undefined || reply.kind === 'none') return reply?.kind;
  if (reply.kind === 'jpeg') return { jpeg: Buffer.from(reply.base64, 'base64'), etag: reply.etag };
  const { kind: _kind, ...failure } = reply;
  return failure;
}
