import { ProtocolError } from '../../core/mod.ts';
import { formatIpAddress, isIpAddress, parseIpAddress } from './ip-address.ts';

/** RFC 8445 §5.1.1. */
export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay';

/** A candidate (RFC 8839 §5.1; RFC 6544 §4.5 for TCP). */
export interface IceCandidate {
  readonly foundation: string;
  readonly component: number;
  readonly protocol: 'udp' | 'tcp';
  /** 1 to 2^31 - 1; higher is better. */
  readonly priority: number;
  /** An IP address; names are not looked up. */
  readonly ip: string;
  readonly port: number;
  readonly type: CandidateType;
  /** Only with TCP. */
  readonly tcpType?: 'active' | 'passive' | 'so';
}

const LINE_LENGTH_MAX = 512;
const PRIORITY_MAX = 0x7fffffff;
const CANDIDATE =
  /^(?:a=)?candidate:([A-Za-z0-9+/]{1,32}) (\d{1,3}) (\S{1,16}) (\d{1,10}) (\S{1,255}) (\d{1,5}) typ (\S{1,16})((?: \S+)*) *$/;

const types: readonly string[] = ['host', 'srflx', 'prflx', 'relay'] satisfies CandidateType[];
const tcpTypes: readonly string[] = ['active', 'passive', 'so'] satisfies NonNullable<IceCandidate['tcpType']>[];

const bad = (line: string, what: string): ProtocolError =>
  new ProtocolError('ice.bad-candidate', `${what} in candidate line "${line.slice(0, 80)}"`);

/** The value after `name` among the `name value` pairs at a line's end. */
function extension(tail: string, name: string): string | undefined {
  const words = tail.trim().split(' ');
  for (let index = 0; index + 1 < words.length; index += 2) if (words[index]?.toLowerCase() === name) return words[index + 1];
  return undefined;
}

/**
 * Reads `candidate:…` (also with `a=` before it). Undefined for one that is well formed and of no use here: a name instead of an
 * address (mDNS, RFC 8839 §5.1 "must ignore"), an unknown protocol or type, another component than RTP's. Throws `ice.bad-candidate`.
 */
export function parseCandidate(line: string): IceCandidate | undefined {
  if (line.length > LINE_LENGTH_MAX) throw bad(line, `more than ${LINE_LENGTH_MAX} characters`);
  const parts = CANDIDATE.exec(line.trimEnd());
  if (parts === null) throw bad(line, 'bad form');
  const [, foundation = '', component, transport = '', priorityText, address = '', portText, type = '', tail = ''] = parts;
  const priority = Number(priorityText);
  const port = Number(portText);
  if (priority < 1 || priority > PRIORITY_MAX) throw bad(line, `priority ${priority}`);
  if (port > 65535) throw bad(line, `port ${port}`);
  const protocol = transport.toLowerCase();
  if (protocol !== 'udp' && protocol !== 'tcp') return undefined;
  if (!types.includes(type) || !isIpAddress(address) || Number(component) !== 1) return undefined;
  const tcpType = protocol === 'tcp' ? extension(tail, 'tcptype') : undefined;
  if (protocol === 'tcp' && !tcpTypes.includes(tcpType ?? '')) return undefined;
  return {
    foundation,
    component: 1,
    protocol,
    priority,
    ip: formatIpAddress(parseIpAddress(address)),
    port,
    type: type as CandidateType,
    ...(tcpType === undefined ? {} : { tcpType: tcpType as NonNullable<IceCandidate['tcpType']> }),
  };
}

/** Writes `candidate:…` without `a=`. */
export function writeCandidate(candidate: IceCandidate): string {
  const { foundation, component, protocol, priority, ip, port, type, tcpType } = candidate;
  // What lies behind a reflexive or relayed address is not told; RFC 8839 §5.1 allows 0.0.0.0 and 9 for that.
  const related = type === 'host' ? '' : ` raddr ${ip.includes(':') ? '::' : '0.0.0.0'} rport 9`;
  const tcp = tcpType === undefined ? '' : ` tcptype ${tcpType}`;
  return `candidate:${foundation} ${component} ${protocol} ${priority} ${ip} ${port} typ ${type}${related}${tcp}`;
}

const typePreferences: Record<CandidateType, number> = { host: 126, prflx: 110, srflx: 100, relay: 0 };

/** RFC 8445 §5.1.2.1 for component 1; `localPreference` 0 to 65535, higher is better. */
export function candidatePriority(type: CandidateType, localPreference: number): number {
  return typePreferences[type] * 2 ** 24 + localPreference * 2 ** 8 + 255;
}

/** A server's own address as a candidate; UDP is preferred to TCP, earlier `order` to later, and a TCP one is passive. */
export function hostCandidate(protocol: 'udp' | 'tcp', ip: string, port: number, order: number): IceCandidate {
  const localPreference = Math.max((protocol === 'udp' ? 65535 : 32767) - order, 0);
  const candidate = { component: 1, protocol, ip, port, type: 'host', priority: candidatePriority('host', localPreference) } as const;
  return protocol === 'udp' ? { ...candidate, foundation: `u${order}` } : { ...candidate, foundation: `t${order}`, tcpType: 'passive' };
}
