const SERVERS_MAX = 8;
const LAYER_RELATION = 'urn:ietf:params:whep:ext:core:layer';

interface Link {
  readonly target: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/**
 * ICE servers of a Link header (RFC 8288) with `rel="ice-server"` (RFC 9725 §4.6); at most 8. Anything else in it is passed over, and
 * never is a header refused as a whole.
 */
export function iceServersOf(header: string | null): readonly RTCIceServer[] {
  const servers: RTCIceServer[] = [];
  for (const { target, attributes } of linksOf(header)) {
    if (attributes.get('rel') !== 'ice-server' || !/^(stun|turn)s?:/.test(target)) continue;
    const username = attributes.get('username');
    const credential = attributes.get('credential');
    servers.push({ urls: target, ...(username === undefined ? {} : { username }), ...(credential === undefined ? {} : { credential }) });
    if (servers.length === SERVERS_MAX) break;
  }
  return servers;
}

/** Where a viewer chooses its layer (WHEP's layer selection), as an absolute URL; `base` is that of the answer. */
export function layerUrlOf(header: string | null, base: string): string | undefined {
  for (const { target, attributes } of linksOf(header)) {
    if (attributes.get('rel') === LAYER_RELATION && URL.canParse(target, base)) return new URL(target, base).href;
  }
  return undefined;
}

function* linksOf(header: string | null): Generator<Link> {
  for (const link of (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^",;\s]*))*)/g)) {
    const [, target = '', tail = ''] = link;
    yield { target, attributes: new Map([...tail.matchAll(/;\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^",;\s]*))/g)].map(attribute)) };
  }
}

const attribute = ([, name = '', quoted, bare]: RegExpMatchArray): [string, string] => [name.toLowerCase(), quoted ?? bare ?? ''];
