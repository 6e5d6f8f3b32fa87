/** The multivariant playlist's name below `/APP/NAME/`. */
export const MULTIVARIANT_PLAYLIST_NAME = 'index.m3u8';
/** A media playlist's name below `/APP/NAME/RENDITION/`. */
export const MEDIA_PLAYLIST_NAME = 'media.m3u8';

/** A segment's name, relative to its media playlist. */
export const segmentName = (sequence: number): string => `${sequence}.m4s`;
/** A part's name, relative to its media playlist. */
export const partName = (sequence: number, part: number): string => `${sequence}.${part}.m4s`;

/**
 * An init segment's name: its discontinuity and a hash of its bytes. So the name depends on nothing but the stream, whoever
 * makes it and whenever it joined, and two runs of the origin cannot give one name to different bytes.
 */
export const initName = (discontinuity: number, bytes: Uint8Array): string => `init-${discontinuity}-${contentHash(bytes)}.mp4`;

const FNV_PRIME = 0x01000193;
const FNV_OFFSETS = [0x811c9dc5, 0x9747b28c] as const;

/** Two FNV-1a hashes of 32 bits with different offsets, as 16 hexadecimal digits. Not against malice, only against reuse. */
function contentHash(bytes: Uint8Array): string {
  let text = '';
  for (const offset of FNV_OFFSETS) {
    let hash: number = offset;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
    text += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return text;
}
