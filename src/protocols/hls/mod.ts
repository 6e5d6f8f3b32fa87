export { cmcdSessionId } from './cmcd.ts';
export {
  type DeliveryDirectives,
  isReached,
  isTooFarAhead,
  type PlaylistEdge,
  parseDeliveryDirectives,
} from './delivery-directives.ts';
export { initName, MEDIA_PLAYLIST_NAME, MULTIVARIANT_PLAYLIST_NAME, partName, segmentName } from './file-names.ts';
export {
  type MediaPlaylist,
  type PlaylistPart,
  type PlaylistSegment,
  type RenditionReport,
  renderMediaPlaylist,
} from './media-playlist.ts';
export {
  averageBitrateBps,
  peakBitrateBps,
  renderMultivariantPlaylist,
  type SegmentSize,
  type VariantStream,
} from './multivariant-playlist.ts';
