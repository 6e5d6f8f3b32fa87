/** What `GET /events` tells of. */
export const SERVER_EVENT_TYPES = [
  'stream.started',
  'stream.changed',
  'stream.ended',
  'node.changed',
  'node.gone',
  'source.changed',
  'target.changed',
  'transcoding.changed',
  'transcoding.decided',
  'recording.changed',
  'recording.started',
  'recording.ended',
  'recording.failed',
  'app.changed',
  'ladder.changed',
  'stream-key.changed',
  'revoked-token.changed',
  'webhook.changed',
  'api-key.changed',
  'routing.changed',
  'weights.changed',
  'config.changed',
  'audit.added',
] as const;

/** What changed, without a secret. */
export interface ServerEvent {
  readonly type: (typeof SERVER_EVENT_TYPES)[number];
  readonly data: Readonly<Record<string, unknown>>;
}
