import { isIP } from 'node:net';
import type { UrlPolicy } from '../../access/mod.ts';
import { TargetError } from './target-address.ts';

/** `a=candidate:FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ …` (RFC 8839 section 5.1). */
const CANDIDATE = /^a=candidate:\S+ \d+ (\S+) \d+ (\S+) \d+ typ /i;

/**
 * An SDP answer with only those of its ICE candidates that may be sent to: where media goes is the answer's word, and thus to be judged as the URL was.
 * FFmpeg takes UDP over IPv4. Throws {@link TargetError} when none is left.
 */
export function withAllowedCandidates(answer: string, policy: UrlPolicy): string {
  let refusal = 'it names no address to send to over UDP and IPv4';
  let isUsable = false;
  const lines = answer.split(/\r?\n/).filter((line) => {
    const [, transport = '', ip = ''] = CANDIDATE.exec(line) ?? [];
    if (ip === '') return !line.startsWith('a=candidate:');
    const verdict = policy.judgeAddress(ip);
    if (verdict !== undefined) refusal = verdict.reason;
    const isKept = verdict === undefined && transport.toLowerCase() === 'udp' && isIP(ip) === 4;
    isUsable ||= isKept;
    return isKept;
  });
  if (!isUsable) throw new TargetError('targets.address', `the WHIP answer cannot be used: ${refusal}`, true);
  return lines.join('\r\n');
}
