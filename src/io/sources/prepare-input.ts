import { realpath, stat } from 'node:fs/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { AllowedNetworkUrl, UrlPolicy } from '../../access/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { awaitsSender } from '../../sources/mod.ts';
import type { HttpGate } from './http-gate.ts';
import { judgedAddress, type Resolve, SourceRefused } from './judged-lookup.ts';
import { RtspRedirects } from './rtsp-redirects.ts';
import type { SourceInput } from './source-messages.ts';
import { TcpRelay } from './tcp-relay.ts';

/** Demuxers that open nothing but what they are given; `hls` opens more, all of it through the gate. */
const FILE_FORMATS = 'mov,mp4,matroska,webm,mpegts,flv,mp3,aac,ogg';
const HTTP_FORMATS = `hls,${FILE_FORMATS},live_flv`;
const PORTS = { rtsp: 554, rtsps: 322, rtmp: 1935, rtmps: 443 } as const;
const TIMEOUT_US = '10000000';
/** How much of an input FFmpeg looks at before its first frame comes out, in microseconds. */
const ANALYZE_US = '3000000';

export interface InputNeeds {
  readonly policy: UrlPolicy;
  readonly gate: HttpGate;
  readonly lookup: LookupFunction;
  readonly resolve?: Resolve | undefined;
}

/** Told while the input is open. */
export interface InputListener {
  /** The input led to what must not be reached. */
  refused(error: SourceRefused): void;
  /** What went wrong on the way; the input fails later, or goes on. */
  failed(code: string, message: string): void;
}

/** An input that FFmpeg may open. */
export interface PreparedInput {
  readonly input: SourceInput;
  /** For the child's process, before it opens the input. */
  readonly environment: Readonly<Record<string, string>>;
  /** What may be shown of an error message of FFmpeg's. */
  readonly clean: (text: string) => string;
  /** To be called when it is over. */
  close(): void;
}

const PREPARED = { environment: {}, clean: (text: string): string => text, close: (): void => undefined };
const COMMON = { analyzeduration: ANALYZE_US };

/** What of a source's settings says how it is opened. */
export interface InputSettings {
  readonly url: string;
  /** How an RTSP server sends: within the connection, or in datagrams to ports that FFmpeg opens. */
  readonly rtspTransport: 'tcp' | 'udp';
}

/** Judges a source's URL and makes of it what FFmpeg may open. Rejects with `SluiceError`, among them {@link SourceRefused}. */
export async function prepareInput(settings: InputSettings, needs: InputNeeds, listener: InputListener): Promise<PreparedInput> {
  const { url } = settings;
  const verdict = needs.policy.judge(url);
  if (!verdict.isAllowed) throw new SourceRefused(verdict);
  if (verdict.kind === 'file') return prepareFile(verdict.path, needs.policy);
  switch (verdict.scheme) {
    case 'http':
    case 'https':
      return prepareHttp(url, needs, listener);
    case 'rtsp':
    case 'rtsps':
    case 'rtmp':
    case 'rtmps':
      return prepareRelayed(settings, verdict, verdict.scheme, needs, listener);
    case 'srt':
    case 'udp':
      return prepareDatagrams(url, verdict, verdict.scheme, needs);
    default:
      throw new SourceRefused({
        code: 'scheme',
        reason: `nothing can be fetched by ${verdict.scheme}: take rtsp, rtmp, srt, http, udp or a file`,
      });
  }
}

async function prepareFile(path: string, policy: UrlPolicy): Promise<PreparedInput> {
  const real = await realpath(path).catch((cause: NodeJS.ErrnoException) => {
    throw new SluiceError('sources.open-failed', `${path} cannot be read: ${cause.code ?? cause.message}`, { cause });
  });
  // Where the path leads through symbolic links; FFmpeg opens that one.
  const verdict = policy.judgeFile(real);
  if (!verdict.isAllowed) throw new SourceRefused(verdict);
  if (!(await stat(real)).isFile()) throw new SourceRefused({ code: 'path', reason: `${path} is not a file` });
  const options = { ...COMMON, protocol_whitelist: 'file', format_whitelist: FILE_FORMATS };
  return { ...PREPARED, input: { url: `file:${real}`, options, isPaced: true, isLooped: true } };
}

async function prepareHttp(url: string, { gate }: InputNeeds, listener: InputListener): Promise<PreparedInput> {
  const pass = await gate.open(url, listener);
  const options = {
    ...COMMON,
    protocol_whitelist: 'http,tcp,crypto,data',
    format_whitelist: HTTP_FORMATS,
    // By their endings; what they are is judged by their bytes.
    allowed_extensions: 'ALL',
    allowed_segment_extensions: 'ALL',
    extension_picky: '0',
    http_persistent: '0',
  };
  return {
    input: { url: pass.url, options, isPaced: true, isLooped: false },
    environment: { http_proxy: pass.proxy },
    clean: (text) => pass.clean(text),
    close: () => pass.close(),
  };
}

async function prepareRelayed(
  { url, rtspTransport }: InputSettings,
  verdict: AllowedNetworkUrl,
  scheme: keyof typeof PORTS,
  { lookup }: InputNeeds,
  listener: InputListener,
): Promise<PreparedInput> {
  const isTls = scheme === 'rtsps' || scheme === 'rtmps';
  const isRtsp = scheme === 'rtsp' || scheme === 'rtsps';
  const redirects = isRtsp ? new RtspRedirects(rtspTransport) : undefined;
  const relay = new TcpRelay({
    host: verdict.host,
    port: verdict.port ?? PORTS[scheme],
    isTls,
    lookup,
    inspect: redirects && ((bytes, address) => redirects.received(bytes, address)),
    inspectSent: redirects && ((bytes) => redirects.sent(bytes)),
    failed: (error) => {
      if (error instanceof SourceRefused) listener.refused(error);
      else listener.failed('sources.unreachable', `${verdict.host}: ${error.message}`);
    },
  });
  const port = await relay.listen();
  const { userInfo, authority, rest } = partsOf(url);
  const here = `${isRtsp ? 'rtsp' : 'rtmp'}://${userInfo}127.0.0.1:${port}${rest}`;
  const app = /^\/[^/?#]*/.exec(rest)?.[0] ?? '';
  const options: Record<string, string> = isRtsp
    ? {
        ...COMMON,
        protocol_whitelist: rtspTransport === 'tcp' ? 'rtsp,tcp' : 'rtsp,tcp,rtp,udp',
        rtsp_transport: rtspTransport,
        timeout: TIMEOUT_US,
      }
    : { ...COMMON, protocol_whitelist: 'rtmp,tcp', rtmp_tcurl: `${scheme}://${authority}${app}` };
  const clean = (text: string): string => text.replaceAll(`127.0.0.1:${port}`, authority);
  return {
    ...PREPARED,
    clean,
    close: () => relay.close(),
    input: { url: here, format: isRtsp ? 'rtsp' : 'flv', options, isPaced: false, isLooped: false },
  };
}

async function prepareDatagrams(
  url: string,
  { host, port, mustResolve }: AllowedNetworkUrl,
  scheme: 'srt' | 'udp',
  { policy, resolve }: InputNeeds,
): Promise<PreparedInput> {
  if (port === undefined) throw new SourceRefused({ code: 'malformed', reason: `a URL of ${scheme} needs a port: ${scheme}://HOST:PORT` });
  const address = mustResolve ? await judgedAddress(policy, host, resolve) : host;
  const shown = isIP(address) === 6 ? `[${address}]` : address;
  // As it is written: FFmpeg decodes some of its parameters and others not.
  const given = /\?([^#]*)/.exec(url)?.[1] ?? '';
  const query = given === '' ? [] : [given];
  const has = (name: string): boolean => new URLSearchParams(given).has(name);
  // FFmpeg listens on every address unless it is told one; for multicast this is the interface.
  if (scheme === 'udp' && !isMulticast(address) && !has('localaddr')) query.push(`localaddr=${address}`);
  if (scheme === 'udp' && !has('overrun_nonfatal')) query.push('overrun_nonfatal=1');
  const search = query.length === 0 ? '' : `?${query.join('&')}`;
  // A caller that connects and sends nothing must not keep the listener from others for ever; waiting for one has no limit.
  const patience = scheme === 'srt' && awaitsSender(url) && !has('timeout') ? { timeout: TIMEOUT_US } : {};
  const options = { ...COMMON, ...patience, protocol_whitelist: scheme };
  return {
    ...PREPARED,
    input: { url: `${scheme}://${shown}:${port}${search}`, format: 'mpegts', options, isPaced: false, isLooped: false },
  };
}

const isMulticast = (address: string): boolean => /^(22[4-9]|23[0-9])\./.test(address) || /^ff/i.test(address);

/** The parts of a URL that was judged; the user info ends with its `@`. */
function partsOf(url: string): { readonly userInfo: string; readonly authority: string; readonly rest: string } {
  const [, userInfo = '', authority = '', rest = ''] = /^[a-z]+:\/\/([^/?#@]*@)?([^/?#]*)(.*)$/i.exec(url) ?? [];
  return { userInfo, authority, rest };
}
