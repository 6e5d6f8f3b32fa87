import { type ByteReader, ProtocolError } from '../../core/mod.ts';

/** ModEx of both AudioPacketType and VideoPacketType: the packet type proper follows after a modifier. */
const PACKET_TYPE_MOD_EX = 7;
const MOD_EX_TIMESTAMP_OFFSET_NANO = 0;
const ONE_TRACK = 0;
const MANY_TRACKS_MANY_CODECS = 2;
const TIMESTAMP_OFFSET_NS_MAX = 999_999;

/** The packet type behind all modifiers, and what the modifiers said. */
export interface ModifiedPacketType {
  readonly packetType: number;
  readonly timestampOffsetNs: number;
}

/** Reads the ModEx loop of Enhanced RTMP v2 (ExVideoTagHeader, ExAudioTagHeader) from the packet type that the tag's first byte gave. */
export function readModifiers(reader: ByteReader, firstPacketType: number): ModifiedPacketType {
  let packetType = firstPacketType;
  let timestampOffsetNs = 0;
  while (packetType === PACKET_TYPE_MOD_EX) {
    let sizeBytes = reader.u8() + 1;
    if (sizeBytes === 256) sizeBytes = reader.u16() + 1;
    const data = reader.slice(sizeBytes);
    const types = reader.u8();
    packetType = types & 0x0f;
    // Modifiers that are not defined yet are skipped: their size is known.
    if (types >>> 4 === MOD_EX_TIMESTAMP_OFFSET_NANO) timestampOffsetNs = nanoseconds(data);
  }
  return { packetType, timestampOffsetNs };
}

function nanoseconds(data: Uint8Array): number {
  const [high = 0, middle = 0, low = 0] = data;
  const value = (high << 16) | (middle << 8) | low;
  if (data.length < 3 || value > TIMESTAMP_OFFSET_NS_MAX) {
    throw new ProtocolError(
      'flv.bad-timestamp-offset',
      `timestampOffsetNano of ${data.length} bytes with value ${value}: it needs 3 bytes or more and at most ${TIMESTAMP_OFFSET_NS_MAX}`,
    );
  }
  return value;
}

/** Reads the multitrack byte: which layout the tracks have, and their one packet type. */
export function readMultitrackHeader(
  reader: ByteReader,
  multitrackPacketType: number,
): { readonly layout: number; readonly packetType: number } {
  const types = reader.u8();
  const layout = types >>> 4;
  const packetType = types & 0x0f;
  if (layout > MANY_TRACKS_MANY_CODECS)
    throw new ProtocolError('flv.bad-multitrack', `multitrack type ${layout} is not defined; use 0, 1 or 2`);
  if (packetType === multitrackPacketType || packetType === PACKET_TYPE_MOD_EX) {
    throw new ProtocolError('flv.bad-multitrack', `packet type ${packetType} must not stand inside a multitrack message`);
  }
  return { layout, packetType };
}

/** Calls back for each track of a multitrack body, whose layout is known (ExVideoTagBody, ExAudioTagBody). Bodies share memory. */
export function readTracks(reader: ByteReader, layout: number, onTrack: (trackId: number, code: number, body: Uint8Array) => void): void {
  const sharedCode = layout === MANY_TRACKS_MANY_CODECS ? undefined : reader.u32();
  do {
    const code = sharedCode ?? reader.u32();
    const trackId = reader.u8();
    onTrack(trackId, code, layout === ONE_TRACK ? reader.rest() : reader.slice(reader.u24()));
  } while (reader.remaining > 0);
}
