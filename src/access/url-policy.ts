import { specialKind } from './address-kinds.ts';
import { type IpNetwork, isInNetwork, parseIpAddress, parseIpNetwork } from './ip-network.ts';

const NETWORK_SCHEMES = ['rtsp', 'rtsps', 'rtmp', 'rtmps', 'srt', 'http', 'https', 'udp', 'whip+http', 'whip+https'] as const;
/** The schemes that a source or target may have. */
export type NetworkScheme = (typeof NETWORK_SCHEMES)[number];

/**
 * Stable; `malformed`: not a URL that all programs read alike. `scheme`: not one that is allowed. `address`: not of the public internet, and not
 * configured. `path`: a file outside of the configured folders. `redirect`: HTTP that leads to something else than HTTP.
 */
export type UrlRefusal = 'malformed' | 'scheme' | 'address' | 'path' | 'redirect';

/** Refused, with a sentence that names the value and what to configure. User names and passwords are not repeated. */
export interface UrlRefused {
  readonly isAllowed: false;
  readonly code: UrlRefusal;
  readonly reason: string;
}

export interface AllowedNetworkUrl {
  readonly isAllowed: true;
  readonly kind: 'network';
  readonly scheme: NetworkScheme;
  /** A host name, in lower case, or an address without brackets. */
  readonly host: string;
  /** Absent: the scheme's own. */
  readonly port?: number;
  /** The host is a name: each address that it resolves to must be allowed by {@link UrlPolicy.judgeAddress}, and that one be connected to. */
  readonly mustResolve: boolean;
}

export interface AllowedFile {
  readonly isAllowed: true;
  readonly kind: 'file';
  /** Absolute, without `.` and `..`. Where it leads through symbolic links has to be judged, too: {@link UrlPolicy.judgeFile}. */
  readonly path: string;
}

export type UrlVerdict = UrlRefused | AllowedNetworkUrl | AllowedFile;

export interface UrlPolicyOptions {
  /** Networks that may be reached though they are none of the public internet: `10.0.0.0/8`, `239.0.0.0/8`, `::1`. */
  readonly allowedNetworks: readonly string[];
  /** Absolute folders under which files may be read. */
  readonly allowedFolders: readonly string[];
}

const URL_LENGTH_MAX = 2048;
/** Programs differ over what these mean in a URL. Everything beyond ASCII is among them: host names are written in their `xn--` form. */
const AMBIGUOUS = /[^\x21-\x7e]|["\\<>^`{|}]/;
const URL_FORM = /^([a-z][a-z0-9+]*):\/\/(?:([^/?#@]*)@)?(\[[^\]/?#@]*\]|[^/?#@:[\]]*)(?::(\d{1,5}))?(?:[/?#].*)?$/i;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** `127.1`, `0x7f.1` and `2130706433` are addresses for some programs and names for others. */
const ENDS_IN_NUMBER = /(^|\.)(\d+|0x[0-9a-f]*)$/;
const PORT_MAX = 65_535;

const refused = (code: UrlRefusal, reason: string): UrlRefused => ({ isAllowed: false, code, reason });

/**
 * Whether the server may reach a URL that it was told to fetch from or send to. Ask three times: `judge` for the URL as it is written, `judgeAddress`
 * for each address that its host name resolves to (and connect to that address, since the next answer of the DNS may be another one), and
 * `judgeRedirect` for where an HTTP answer leads.
 */
export class UrlPolicy {
  private readonly networks: readonly IpNetwork[];
  private readonly folders: readonly string[];

  /** Throws `access.bad-network`. */
  constructor(options: UrlPolicyOptions) {
    this.networks = options.allowedNetworks.map(parseIpNetwork);
    this.folders = options.allowedFolders.map(normalised).filter((folder) => folder !== undefined);
  }

  /** `schemes`: those alone that are of use here, and no files; absent: all. */
  judge(url: string, schemes?: readonly NetworkScheme[]): UrlVerdict {
    if (schemes === undefined && url.startsWith('/')) return this.judgeFile(url);
    if (schemes === undefined && /^file:/i.test(url)) return this.judgeFileUrl(url);
    const parts = url.length <= URL_LENGTH_MAX && !AMBIGUOUS.test(url) ? URL_FORM.exec(url) : null;
    if (parts === null)
      return refused('malformed', `${shown(url)} is not usable: write SCHEME://HOST:PORT/PATH in ASCII, other characters as %XX`);
    const [, scheme = '', , host = '', port] = parts;
    const taken = schemes ?? NETWORK_SCHEMES;
    const known = taken.find((each) => each === scheme.toLowerCase());
    if (known === undefined) return refused('scheme', `${shown(scheme)} is not allowed: take one of ${taken.join(', ')}`);
    if (port !== undefined && (Number(port) === 0 || Number(port) > PORT_MAX)) {
      return refused('malformed', `port ${port} is not usable: take 1 to ${PORT_MAX}`);
    }
    return this.judgeHost(known, host.toLowerCase(), port === undefined ? undefined : Number(port));
  }

  /** Where an HTTP answer with a Location leads; `to` is absolute. */
  judgeRedirect(to: string): UrlVerdict {
    const verdict = this.judge(to);
    const isHttp = verdict.isAllowed && verdict.kind === 'network' && (verdict.scheme === 'http' || verdict.scheme === 'https');
    return isHttp || !verdict.isAllowed
      ? verdict
      : refused('redirect', `the redirect to ${shown(to)} is not followed: only http and https are`);
  }

  /** An address that a host name resolved to, as `192.0.2.1` or `2001:db8::1`. Undefined: allowed. */
  judgeAddress(text: string): UrlRefused | undefined {
    const address = parseIpAddress(text);
    if (address === undefined) return refused('malformed', `${shown(text)} is no IP address`);
    const kind = specialKind(address);
    if (kind === undefined || this.networks.some((network) => isInNetwork(address, network))) return undefined;
    return refused('address', `${text} is a ${kind} address, which is not reached unless it is configured`);
  }

  /** A path; ask again with the one behind all symbolic links. */
  judgeFile(path: string): UrlRefused | AllowedFile {
    const clean = normalised(path);
    if (clean === undefined) return refused('path', `${shown(path)} is not usable: write an absolute path`);
    const isInside = this.folders.some((folder) => clean === folder || clean.startsWith(folder === '/' ? '/' : `${folder}/`));
    return isInside ? { isAllowed: true, kind: 'file', path: clean } : refused('path', `${shown(path)} is not under a configured folder`);
  }

  private judgeFileUrl(url: string): UrlVerdict {
    // An escaped path would have to be decoded exactly as the reader does.
    const path = /^file:\/\/(\/[^?#%]*)$/i.exec(url)?.[1];
    return path === undefined
      ? refused('path', `${shown(url)} is not usable: write file:///PATH, or the path alone`)
      : this.judgeFile(path);
  }

  private judgeHost(scheme: NetworkScheme, host: string, port: number | undefined): UrlVerdict {
    const bare = host.startsWith('[') ? host.slice(1, -1) : host;
    const rest = { isAllowed: true, kind: 'network', scheme, ...(port === undefined ? {} : { port }) } as const;
    // `udp://:5000` listens on every address of this machine.
    const address = bare === '' && scheme === 'udp' ? '0.0.0.0' : bare;
    if (host.startsWith('[') ? bare.includes(':') && parseIpAddress(bare) !== undefined : parseIpAddress(address) !== undefined) {
      return this.judgeAddress(address) ?? { ...rest, host: address, mustResolve: false };
    }
    const name = host.endsWith('.') ? host.slice(0, -1) : host;
    if (!HOST_NAME.test(name) || ENDS_IN_NUMBER.test(name)) return refused('malformed', `${shown(host)} is no host name and no IP address`);
    return { ...rest, host: name, mustResolve: true };
  }
}

/** An absolute path without `.`, `..` and empty parts; undefined for others. */
function normalised(path: string): string | undefined {
  if (!path.startsWith('/') || path.includes('\0') || path.length > URL_LENGTH_MAX) return undefined;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Without what may be a password. */
const shown = (text: string): string => JSON.stringify(text.replace(/\/\/.*@/s, '//…@').slice(0, 120));
