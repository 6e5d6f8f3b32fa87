export { Hub, type HubOptions, type Publication } from './hub.ts';
export type { LiveStream, PublisherInfo, StreamOptions, StreamStats } from './live-stream.ts';
export type { FrameSource, HubListener, PublishRefusal, Sink, SourceListener } from './ports.ts';
export type {
  Rendition,
  RenditionAudience,
  RenditionExpectation,
  RenditionInput,
  RenditionKind,
  RenditionMaker,
  RenditionOffer,
} from './rendition.ts';
