/** What a path names: a stream's multivariant playlist, or a file of one of its renditions. */
export interface HlsPlace {
  /** `/APP/NAME`. */
  readonly base: string;
  readonly rendition?: string;
}

const HLS_PATH = /^(\/[^/]+\/[^/]+)\/(?:index\.m3u8|([^/]+)\/[^/]+\.(?:m3u8|m4s|mp4))$/;

/** Undefined for paths that are not HLS. */
export function hlsPlace(path: string): HlsPlace | undefined {
  const [, base, rendition] = HLS_PATH.exec(path) ?? [];
  if (base === undefined) return undefined;
  return rendition === undefined ? { base } : { base, rendition };
}
