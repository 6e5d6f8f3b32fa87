/** What a path names: a stream's multivariant playlist, or a file of one of its renditions. */
export interface HlsPlace {
  /** `/APP/NAME`. */
  readonly base: string;
  readonly rendition?: string;
  /** The signed token of `/APP/NAME/~TOKEN/…`. */
  readonly token?: string;
  /** The path without the token. */
  readonly path: string;
}

const HLS_PATH = /^(\/[^/]+\/[^/]+)(?:\/~([^/]+))?(\/(?:index\.m3u8|([^/]+)\/[^/]+\.(?:m3u8|m4s|mp4)))$/;

/** Undefined for paths that are not HLS. */
export function hlsPlace(path: string): HlsPlace | undefined {
  const [, base, token, rest, rendition] = HLS_PATH.exec(path) ?? [];
  if (base === undefined || rest === undefined) return undefined;
  const place = { base, path: token === undefined ? path : base + rest };
  return { ...place, ...(rendition === undefined ? {} : { rendition }), ...(token === undefined ? {} : { token }) };
}
