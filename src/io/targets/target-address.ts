import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { AllowedNetworkUrl, UrlPolicy, UrlVerdict } from '../../access/mod.ts';
import type { TargetReason } from '../../targets/mod.ts';

/** Why a target is not connected to. */
export class TargetError extends Error {
  readonly reason: TargetReason;
  /** Whether another attempt would end the same way. */
  readonly isFinal: boolean;

  constructor(code: string, message: string, isFinal: boolean) {
    super(message);
    this.reason = { code, message };
    this.isFinal = isFinal;
  }
}

/** Where to connect to, and as whom the other side has to prove itself. */
export interface TargetAddress {
  /** As the URL has it: a name, or an address. */
  readonly host: string;
  /** The address to connect to, now and for every further request of the attempt: the next answer of the DNS may be another one. */
  readonly ip: string;
  readonly port: number | undefined;
}

const DNS_MS_MAX = 5_000;

/** The one address of a URL that the policy allows; throws {@link TargetError}. Each address that a name has must be allowed. */
export async function targetAddress(policy: UrlPolicy, url: string): Promise<TargetAddress> {
  return resolved(policy, allowed(policy.judge(url)));
}

/** As {@link targetAddress}, of where an HTTP answer leads. */
export async function redirectAddress(policy: UrlPolicy, url: string): Promise<TargetAddress> {
  return resolved(policy, allowed(policy.judgeRedirect(url)));
}

function allowed(verdict: UrlVerdict): AllowedNetworkUrl {
  if (!verdict.isAllowed) throw new TargetError(`targets.${verdict.code}`, verdict.reason, true);
  if (verdict.kind === 'file') throw new TargetError('targets.scheme', 'a target is no file', true);
  return verdict;
}

async function resolved(policy: UrlPolicy, { host, port, mustResolve }: AllowedNetworkUrl): Promise<TargetAddress> {
  if (!mustResolve) return { host, ip: host, port };
  const addresses = await answersOf(host);
  for (const address of addresses) {
    const refusal = policy.judgeAddress(address);
    if (refusal !== undefined) throw new TargetError(`targets.${refusal.code}`, `${host} leads to ${refusal.reason}`, true);
  }
  // IPv4 first: many hosts have IPv6 in the DNS and not on the wire.
  const ip = addresses.find((address) => isIP(address) === 4) ?? addresses[0];
  if (ip === undefined) throw new TargetError('targets.dns', `${host} has no address`, false);
  return { host, ip, port };
}

async function answersOf(host: string): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${DNS_MS_MAX} ms`)), DNS_MS_MAX);
  });
  try {
    const answers = await Promise.race([lookup(host, { all: true }), late]);
    return answers.map(({ address }) => address);
  } catch (cause) {
    throw new TargetError('targets.dns', `${host} could not be resolved: ${(cause as Error).message}`, false);
  } finally {
    clearTimeout(timer);
  }
}

/** What of OpenSSL's and Node's codes means that a certificate was not believed. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

/** Of a TLS error that is about the target's certificate; undefined of others. */
export function certificateReason(code: string, message: string): TargetReason | undefined {
  if (!CERTIFICATE.test(code)) return undefined;
  return { code: 'targets.certificate', message: `${message}: to trust it all the same, put it (or its issuer's) into targets.tlsCaFile` };
}
