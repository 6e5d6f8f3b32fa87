/** A candidate as the browser tells it. */
export interface GatheredCandidate {
  /** Without `a=`. */
  readonly candidate: string;
  readonly sdpMid: string | null;
}

/**
 * The body of a PATCH that tells of candidates (RFC 8840 §9): credentials of the offer's first section, then each section with what was
 * gathered for it. `undefined` when the offer has no credentials or there is nothing to tell.
 */
export function sdpFragment(offer: string, candidates: readonly GatheredCandidate[], isComplete: boolean): string | undefined {
  const ufrag = /^a=ice-ufrag:[^\r\n]+/m.exec(offer)?.[0];
  const password = /^a=ice-pwd:[^\r\n]+/m.exec(offer)?.[0];
  if (ufrag === undefined || password === undefined || (candidates.length === 0 && !isComplete)) return undefined;
  const lines = [ufrag, password];
  // With bundling everything is sent on the first section's transport (RFC 9143 §7), so only it has candidates of use.
  const [section = ''] = offer.split(/^(?=m=)/m).slice(1);
  const mid = /^a=mid:([^\r\n]+)/m.exec(section)?.[1];
  const media = /^m=[^\r\n]+/.exec(section)?.[0];
  if (mid === undefined || media === undefined) return undefined;
  lines.push(media, `a=mid:${mid}`);
  for (const { candidate, sdpMid } of candidates) if (sdpMid === null || sdpMid === mid) lines.push(`a=${candidate}`);
  if (isComplete) lines.push('a=end-of-candidates');
  return `${lines.join('\r\n')}\r\n`;
}
