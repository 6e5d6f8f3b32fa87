/** Message type ids (RTMP 1.0, 5.4, 6.2 and 7.1). */
export const MessageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  dataAmf0: 18,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** User Control Message event types (RTMP 1.0, 7.1.7). */
export const UserControlEvent = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** Chunk stream ids that Sluice sends on; 2 is the protocol's own (RTMP 1.0, 5.3.1.1), the others are a habit of the field. */
export const ChunkStreamId = { control: 2, command: 3, status: 5, audio: 4, video: 6, data: 5 } as const;

/** What a media message carries. */
export type MediaKind = 'video' | 'audio' | 'data';

/** Bytes of a message header of fmt 0 with one basic header byte and an extended timestamp: the most a first chunk costs here. */
export const FIRST_HEADER_BYTES_MAX = 16;

/** A timestamp field of this value says that 32 bits follow (RTMP 1.0, 5.3.1.3). */
export const EXTENDED_TIMESTAMP = 0xffffff;
