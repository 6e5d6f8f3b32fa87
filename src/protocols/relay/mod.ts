export { type FeedOutlet, FeedSender, type FeedSenderOptions, FeedWriter } from './feed-sender.ts';
export { FrameAssembler } from './frame-assembler.ts';
export { type RelayHolderOutput, RelayHolderSession } from './holder-session.ts';
export {
  HOPS_MAX,
  RELAY_PROTOCOL,
  RELAY_VERSION,
  RELAY_VERSION_MIN,
  RENDITIONS_MAX,
  type RelayAcceptance,
  type RelayPosition,
  type RelayRefusal,
  type RelayRendition,
  type RelayWish,
} from './messages.ts';
export { trackIndex } from './position.ts';
export { type RelayPullerOutput, RelayPullerSession, type RelayReceiver } from './puller-session.ts';
export type { RelayPeerOptions } from './relay-peer.ts';
export type { SendQueue } from './send-queue.ts';
export { writePath } from './write-message.ts';
