export { Hub, type HubOptions, type Publication, type RelayedPublication, type RelayOrigin } from './hub.ts';
export type { LiveStream, PublisherInfo, StreamBeginning, StreamCounts, StreamOptions, StreamStats } from './live-stream.ts';
export type { Eviction, FrameSource, HubListener, PublishRefusal, Sink, SourceListener, StreamEnd } from './ports.ts';
export type {
  RelayedRenditionInput,
  Rendition,
  RenditionAudience,
  RenditionInput,
  RenditionKind,
  RenditionMaker,
  RenditionOffer,
} from './rendition.ts';
export type { RenditionExpectation } from './rendition-description.ts';
