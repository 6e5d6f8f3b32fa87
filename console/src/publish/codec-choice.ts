/** As RTCRtpSender.getCapabilities tells it. */
export interface Capability {
  readonly mimeType: string;
  readonly sdpFmtpLine?: string | undefined;
}

// These repair or repeat what another codec carries; nobody chooses them.
const REPAIR: ReadonlySet<string> = new Set(['RTX', 'RED', 'ULPFEC', 'FLEXFEC-03']);
// H.264 is what every way of watching plays; then what encoders do best in real time.
const ORDER: readonly string[] = ['H264', 'VP8', 'VP9', 'AV1', 'H265'];

/** What to call a codec in a menu. */
export const codecLabel = (name: string): string => ({ H264: 'H.264 (plays everywhere)', H265: 'H.265' })[name] ?? name;

const nameOf = ({ mimeType }: Capability): string => (mimeType.split('/')[1] ?? '').toUpperCase();

/** Names of the codecs that can be chosen, H.264 first, each once. */
export function codecChoices(capabilities: readonly Capability[]): readonly string[] {
  const names = new Set(capabilities.map(nameOf).filter((name) => name !== '' && !REPAIR.has(name)));
  const known = ORDER.filter((name) => names.has(name));
  return [...known, ...[...names].filter((name) => !ORDER.includes(name))];
}

/** All capabilities with the chosen codec's first, of which those that cut frames into packets of any size (H.264 mode 1, RFC 6184 §6.3). */
export function preferring<T extends Capability>(capabilities: readonly T[], chosen: string): T[] {
  const rank = (capability: T): number => {
    if (nameOf(capability) !== chosen) return 2;
    return chosen === 'H264' && !/packetization-mode=1/.test(capability.sdpFmtpLine ?? '') ? 1 : 0;
  };
  return capabilities.toSorted((left, right) => rank(left) - rank(right));
}
