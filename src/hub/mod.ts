export { Hub, type HubOptions, type Publication } from './hub.ts';
export type { LiveStream, PublisherInfo, StreamOptions, StreamStats } from './live-stream.ts';
export type { HubListener, PublishRefusal, Sink, SourceListener } from './ports.ts';
