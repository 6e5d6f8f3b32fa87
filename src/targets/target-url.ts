import { SluiceError, type StreamRef } from '../core/mod.ts';

/** What a target speaks. */
export type TargetProtocol = 'rtmp' | 'srt' | 'whip';

/** A target's URL, taken apart. All but `protocol` and `shown` may hold secrets. */
export interface TargetUrl {
  readonly protocol: TargetProtocol;
  readonly isEncrypted: boolean;
  /** As a URL policy judges it, without `whip+`. */
  readonly url: string;
  /** `rtmps://host:port`: what may be logged and listed, since keys stand in paths as often as in queries. */
  readonly shown: string;
  /** From the first slash behind the host on, without the query. */
  readonly path: string;
  /** What stands behind `?`. */
  readonly query: string;
}

/** Where an RTMP publisher goes, in RTMP's own words. */
export interface RtmpPlace {
  readonly app: string;
  readonly tcUrl: string;
  /** A secret. */
  readonly streamKey: string;
}

const FORM = /^([a-z][a-z0-9+]*):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;
const PROTOCOLS: Readonly<Record<string, readonly [TargetProtocol, isEncrypted: boolean]>> = {
  rtmp: ['rtmp', false],
  rtmps: ['rtmp', true],
  srt: ['srt', false],
  http: ['whip', false],
  https: ['whip', true],
  'whip+http': ['whip', false],
  'whip+https': ['whip', true],
};
const PLACEHOLDER = /\{([^{}]*)\}/g;
/** SRT's own name, and whether it is a secret does not matter here: all of a query is. Everything else a URL could say of a socket is ours to decide. */
const SRT_OPTIONS: ReadonlySet<string> = new Set(['streamid', 'passphrase', 'pbkeylen', 'latency', 'mode']);

const bad = (message: string): SluiceError => new SluiceError('targets.url', message);

/** Puts a stream's app and name in the places of `{app}` and `{name}`. Throws `SluiceError` with code `targets.url` for any other placeholder. */
export function fillUrl(template: string, ref: Pick<StreamRef, 'app' | 'name'>): string {
  return template.replace(PLACEHOLDER, (whole, name: string) => {
    if (name === 'app') return ref.app;
    if (name === 'name') return ref.name;
    throw bad(`${JSON.stringify(whole.slice(0, 32))} stands for nothing: the placeholders are {app} and {name}`);
  });
}

/** Takes a URL without placeholders apart; throws `SluiceError` with code `targets.url`, whose message repeats no more of it than its scheme. */
export function parseTargetUrl(text: string): TargetUrl {
  const [, scheme = '', authority = '', path = '', query = ''] = FORM.exec(text) ?? [];
  const [protocol, isEncrypted] = PROTOCOLS[scheme.toLowerCase()] ?? [];
  if (protocol === undefined || isEncrypted === undefined) {
    throw bad(`the URL of a target begins with ${Object.keys(PROTOCOLS).join('://, ')}://, not ${JSON.stringify(scheme.slice(0, 20))}`);
  }
  if (authority === '') throw bad('the URL of a target names a host');
  if (authority.includes('@')) {
    throw bad('a target takes no user and password in its URL: keys belong to its path or query, and a bearer token to `token`');
  }
  const plain = scheme.toLowerCase().replace('whip+', '');
  const parsed = {
    protocol,
    isEncrypted,
    url: `${plain}://${text.slice(scheme.length + 3)}`,
    shown: `${scheme.toLowerCase()}://${authority}`,
    path,
    query,
  };
  if (protocol === 'rtmp') rtmpPlace(parsed);
  if (protocol === 'srt') srtOptions(parsed);
  return parsed;
}

/** The last part of the path is the stream's key, with the query; what stands before it is the app. Throws `SluiceError` with code `targets.url`. */
export function rtmpPlace({ url, path, query }: Pick<TargetUrl, 'url' | 'path' | 'query'>): RtmpPlace {
  const at = path.lastIndexOf('/');
  const [app, name] = [path.slice(1, at), path.slice(at + 1)];
  if (at < 1 || name === '') throw bad('the URL of an RTMP target is rtmp://HOST/APP/KEY');
  const origin = /^[^/]*\/\/[^/?#]*/.exec(url)?.[0] ?? '';
  return { app, tcUrl: `${origin}/${app}`, streamKey: query === '' ? name : `${name}?${query}` };
}

/** The options in the query of an SRT target, as they are written. Throws `SluiceError` with code `targets.url`. */
export function srtOptions({ query }: Pick<TargetUrl, 'query'>): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', ...value] = pair.split('=');
    if (!SRT_OPTIONS.has(name)) {
      throw bad(`an SRT target takes ${[...SRT_OPTIONS].join(', ')} in its query, not ${JSON.stringify(name.slice(0, 20))}`);
    }
    options.set(name, value.join('='));
  }
  const mode = options.get('mode');
  if (mode !== undefined && mode !== 'caller') throw bad('an SRT target is called: leave `mode` out, or take mode=caller');
  return options;
}

const HIDDEN_LENGTH_MIN = 4;
const KEY_LENGTH_MIN = 8;
const WORDS_LENGTH_MAX = 300;

/** What others said of a target, fit to be shown: without line breaks and anything of the URL or the token that may be a secret. */
export function withoutSecrets(words: string, { path, query }: Pick<TargetUrl, 'path' | 'query'>, token: string): string {
  const values = query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const secrets = [
    ...[query, token, ...values, ...values.map(decoded)].filter(({ length }) => length >= HIDDEN_LENGTH_MIN),
    ...[path, ...path.split('/')].filter(({ length }) => length >= KEY_LENGTH_MIN),
  ].sort((left, right) => right.length - left.length);
  const hidden = secrets.reduce((text, secret) => text.replaceAll(secret, '…'), words);
  return hidden
    .replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ')
    .trim()
    .slice(0, WORDS_LENGTH_MAX);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
