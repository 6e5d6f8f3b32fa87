export { PlaySession, type PlaySessionOptions, type PlaySessionOutput, type PlaySessionStats, type SentSoFar } from './play-session.ts';
export { PublishSession } from './publish-session.ts';
export type {
  PublishExtensions,
  PublishedFrame,
  PublishedLayer,
  PublishedMedia,
  PublishSessionOptions,
  PublishSessionOutput,
  PublishSessionStats,
} from './published-media.ts';
