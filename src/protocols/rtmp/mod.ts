export { ChunkReader, type ChunkReaderLimits, type ChunkReaderOutput, defaultChunkReaderLimits } from './chunk-reader.ts';
export { ChunkWriter, chunkMessage, chunkMessageParts, INITIAL_CHUNK_SIZE } from './chunk-writer.ts';
export {
  defaultRtmpClientOptions,
  type RtmpClientOptions,
  type RtmpClientOutput,
  RtmpClientSession,
  type RtmpClientState,
  type RtmpClientTarget,
} from './client-session.ts';
export type { RtmpCrypto } from './crypto-port.ts';
export type { LivenessOptions } from './liveness.ts';
export { ChunkStreamId, type MediaKind, MessageType, UserControlEvent } from './message.ts';
export {
  defaultRtmpServerOptions,
  type RefusalStatus,
  type RtmpCloseReason,
  type RtmpServerOptions,
  type RtmpServerOutput,
  RtmpServerSession,
  type RtmpServerState,
  SERVER_MESSAGE_STREAM_ID,
} from './server-session.ts';
export { statusBody } from './status.ts';
export type { RtmpCredential } from './stream-address.ts';
