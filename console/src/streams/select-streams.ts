import type { ListedStream } from './streams-answer.ts';

/** The streams whose `app/name` has every word of the query in it, in the order given. Case does not matter. */
export function selectStreams(streams: readonly ListedStream[], query: string): readonly ListedStream[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return streams.filter(({ app, name }) => {
    const path = `${app}/${name}`.toLowerCase();
    return words.every((word) => path.includes(word));
  });
}

/** `1280 × 720 · H.264 · AAC` for a stream's tracks; empty when there are none. */
export function describeTracks(stream: Pick<ListedStream, 'tracks'>): string {
  const parts: string[] = [];
  for (const { width, height, codec } of stream.tracks) {
    if (width && height) parts.push(`${width} × ${height}`);
    if (codec) parts.push(CODEC_NAMES[codec] ?? codec);
  }
  return parts.join(' · ');
}

const CODEC_NAMES: Readonly<Record<string, string>> = {
  h264: 'H.264',
  hevc: 'HEVC',
  av1: 'AV1',
  vp8: 'VP8',
  vp9: 'VP9',
  aac: 'AAC',
  opus: 'Opus',
  mp3: 'MP3',
};
