import { ABS_CAPTURE_TIME } from './header-extensions.ts';

// One-byte header extensions have ids 1 to 14 (RFC 8285 §4.2).
const EXTENSION_ID_MAX = 14;

/** The offer with abs-capture-time in every media section, under one id that nothing else has; as it was where it has it, or no id is free. */
export function withCaptureTime(sdp: string): string {
  if (sdp.includes(ABS_CAPTURE_TIME)) return sdp;
  const taken = new Set([...sdp.matchAll(/^a=extmap:(\d+)/gm)].map(([, id]) => Number(id)));
  const id = Array.from({ length: EXTENSION_ID_MAX }, (_, at) => at + 1).find((each) => !taken.has(each));
  if (id === undefined) return sdp;
  return mapSections(sdp, (section) =>
    /^m=(audio|video) /.test(section) ? section.replace(/^(a=mid:[^\r\n]*\r?\n)/m, `$1a=extmap:${id} ${ABS_CAPTURE_TIME}\r\n`) : section,
  );
}

/** The offer with Opus in stereo: a browser that does not say so decodes to one channel (RFC 7587 §7). */
export function withStereo(sdp: string): string {
  const payloadType = /^a=rtpmap:(\d+) opus\//im.exec(sdp)?.[1];
  if (payloadType === undefined) return sdp;
  return sdp.replace(new RegExp(`^(a=fmtp:${payloadType} )([^\\r\\n]*)`, 'm'), (line, head: string, rest: string) =>
    /(^|;)\s*stereo=/.test(rest) ? line : `${head}${rest};stereo=1`,
  );
}

/**
 * The answer with the bitrate at which Chromium's encoder begins, which otherwise finds its way up from 300 kbit/s for many seconds; other
 * browsers pass over it.
 */
export function withStartBitrate(sdp: string, bitrateBps: number): string {
  const parameter = `x-google-start-bitrate=${Math.round(bitrateBps / 1000)}`;
  return mapSections(sdp, (section) => {
    const payloadType = /^m=video \d+ \S+ (\d+)/.exec(section)?.[1];
    if (payloadType === undefined) return section;
    const format = new RegExp(`^a=fmtp:${payloadType} [^\\r\\n]*`, 'm');
    if (format.test(section)) return section.replace(format, (line) => `${line};${parameter}`);
    return section.replace(
      new RegExp(`^a=rtpmap:${payloadType} [^\\r\\n]*\\r?\\n`, 'm'),
      (line) => `${line}a=fmtp:${payloadType} ${parameter}\r\n`,
    );
  });
}

function mapSections(sdp: string, change: (section: string) => string): string {
  return sdp
    .split(/^(?=m=)/m)
    .map(change)
    .join('');
}
