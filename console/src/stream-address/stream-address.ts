/** A stream's place on the server: the `live` and `show` of `live/show`. Both halves are safe to put into a URL as they are. */
export interface StreamAddress {
  readonly app: string;
  readonly name: string;
  /** `app/name`. */
  readonly path: string;
}

// The server's own rule for names (src/core/stream-ref.ts); whatever else stands in the address bar is not a stream.
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

const isName = (text: string): boolean => NAME.test(text) && !text.includes('..');

/** The stream of a page's path (`/watch/live/show`, `/publish/live/show`), or `undefined` when it names none. */
export function parsePagePath(page: 'watch' | 'publish', pathname: string): StreamAddress | undefined {
  const [empty, first, app, name, ...rest] = pathname.replace(/\/$/, '').split('/');
  if (empty !== '' || first !== page || app === undefined || name === undefined || rest.length > 0) return undefined;
  return streamAddress(app, name);
}

/** The stream of that app and name, or `undefined` where one of them cannot be a name. */
export function streamAddress(app: string, name: string): StreamAddress | undefined {
  return isName(app) && isName(name) ? { app, name, path: `${app}/${name}` } : undefined;
}

/** Path of a stream's watch page. */
export const watchPath = (app: string, name: string): string => `/watch/${encodeURIComponent(app)}/${encodeURIComponent(name)}`;

/** Path of the page that publishes a stream. */
export const publishPath = (app: string, name: string): string => `/publish/${encodeURIComponent(app)}/${encodeURIComponent(name)}`;

/** Path of a stream's WHEP endpoint. */
export const whepPath = (address: StreamAddress): string => `/${address.path}/whep`;

/** Path of a stream's WHIP endpoint. */
export const whipPath = (address: StreamAddress): string => `/${address.path}/whip`;

/** Path of a stream's multivariant playlist. */
export const playlistPath = (address: StreamAddress): string => `/${address.path}/index.m3u8`;

/** Path of a stream's state in the API. */
export const streamApiPath = (address: StreamAddress): string => `/api/v1/streams/${address.path}`;

/** Where a page came from, as `location` tells it; `hostname` keeps the brackets of an IPv6 address. */
export interface PageOrigin {
  /** e.g. `https://example.org:8443`. */
  readonly origin: string;
  /** e.g. `example.org`. */
  readonly hostname: string;
}

/** Everything one may want to pass on about a stream. */
export interface StreamLinks {
  readonly watch: string;
  /** HTML to put into another page. */
  readonly embedCode: string;
  readonly whep: string;
  readonly hls: string;
  readonly flv: string;
  readonly rtmp: string;
}

/** Absolute links of a stream, as seen from the page's own origin. */
export function streamLinks(page: PageOrigin, address: StreamAddress): StreamLinks {
  const watch = page.origin + watchPath(address.app, address.name);
  return {
    watch,
    embedCode: `<iframe src="${watch}?embed=1" width="640" height="360" style="border:0" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen title="${address.path}"></iframe>`,
    whep: page.origin + whepPath(address),
    hls: page.origin + playlistPath(address),
    flv: `${page.origin}/${address.path}.flv`,
    rtmp: `rtmp://${page.hostname}/${address.path}`,
  };
}
