import { SluiceError } from '../../core/mod.ts';

/** A STUN or TURN server that clients are told of. */
export interface IceServer {
  /** RFC 7064, RFC 7065: `stun:stun.example.net`, `turn:turn.example.net?transport=udp`. */
  readonly url: string;
  /** For TURN, both. Everybody who may make a session gets to know them. */
  readonly username?: string;
  readonly credential?: string;
}

const URL = /^(stun|stuns|turn|turns):[A-Za-z0-9.:[\]_-]+(\?transport=[a-z]+)?$/;
const VISIBLE = /^[\x20-\x7e]*$/;

/** The `Link` header's value for a server (RFC 9725 4.6). Throws `SluiceError` `whip.bad-ice-server`. */
export function iceServerLink({ url, username, credential }: IceServer): string {
  if (!URL.test(url)) throw bad(`the URL ${JSON.stringify(url)} is none: write stun:HOST, turn:HOST:PORT?transport=udp or the like`);
  const link = `<${url}>; rel="ice-server"`;
  if (username === undefined && credential === undefined) return link;
  if (username === undefined || credential === undefined) throw bad(`${url} has only one of username and credential`);
  return `${link}; username=${quoted(username)}; credential=${quoted(credential)}; credential-type="password"`;
}

/** RFC 9110 5.6.4. */
function quoted(text: string): string {
  if (!VISIBLE.test(text)) throw bad('a username or credential has characters that a header cannot carry');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

const bad = (what: string): SluiceError => new SluiceError('whip.bad-ice-server', `ICE server: ${what}`);
