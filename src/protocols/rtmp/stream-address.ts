/** What a publisher or viewer may show to be let in. Never logged. */
export interface RtmpCredential {
  /** The stream's secret, from `show?key=SECRET`. */
  readonly key?: string;
  /** A signed token, from `show?token=JWT`. */
  readonly token?: string;
}

/** What `connect` names. */
export interface AppAddress {
  readonly app: string;
  /** What follows the app in its path, if anything: `_definst_`, or the stream's name where the encoder has one URL field. */
  readonly instance: string | undefined;
  readonly credential: RtmpCredential;
}

/** The field's name for "no particular instance". */
const DEFAULT_INSTANCE = '_definst_';

/** Reads `connect`'s app, e.g. `live`, `live/`, `live/_definst_`, `live?key=SECRET`, or, where it is empty, the path of tcUrl. */
export function parseApp(app: string, tcUrl: string): AppAddress {
  const { path, query } = splitQuery(app === '' ? pathOfUrl(tcUrl) : app);
  const segments = path.split('/').filter((segment) => segment !== '');
  const instance = segments.slice(1).join('/');
  return {
    app: segments[0] ?? '',
    instance: instance === '' || instance === DEFAULT_INSTANCE ? undefined : instance,
    credential: readCredential(query),
  };
}

/**
 * The stream's name and credential out of the app's address and the stream key, e.g. `show?key=SECRET`. An empty key takes
 * the app's instance for the name (`rtmp://host/live/show` typed into the server field).
 */
export function parseStreamKey(address: AppAddress, streamKey: string): { readonly name: string; readonly credential: RtmpCredential } {
  const { path, query } = splitQuery(streamKey);
  const credential = { ...address.credential, ...readCredential(query) };
  if (address.instance === undefined) return { name: path, credential };
  // Both: a path of three parts, which is no stream's name; the slash makes it fail where names are checked.
  return { name: path === '' ? address.instance : `${address.instance}/${path}`, credential };
}

function splitQuery(text: string): { readonly path: string; readonly query: string } {
  const mark = text.indexOf('?');
  return mark < 0 ? { path: text, query: '' } : { path: text.slice(0, mark), query: text.slice(mark + 1) };
}

function pathOfUrl(url: string): string {
  return /^[a-z]+:\/\/[^/]*\/(.*)$/i.exec(url)?.[1] ?? '';
}

function readCredential(query: string): RtmpCredential {
  const credential: { key?: string; token?: string } = {};
  // Encoders that append a query of their own to one of the user's give `?a=b?c=d`.
  for (const pair of query.split(/[&?]/)) {
    const mark = pair.indexOf('=');
    if (mark <= 0) continue;
    const value = decodePercent(pair.slice(mark + 1));
    const name = pair.slice(0, mark);
    if (name === 'key') credential.key = value;
    else if (name === 'token') credential.token = value;
  }
  return credential;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A key with a bare percent sign is taken as it stands.
    return text;
  }
}
