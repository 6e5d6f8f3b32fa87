import type { SdpPayloadFormat } from './session-description.ts';

type Profile = 'constrained-baseline' | 'baseline' | 'extended' | 'main' | 'constrained-high' | 'high' | 'high-444' | 'other';

/** How an offered format fits a stream: its very profile, one whose decoder decodes it too, or none of both. */
export type H264Match = 'exact' | 'compatible' | 'unlisted';

/** RFC 6184 §8.1: what is meant without the parameter is Baseline, level 1. */
const DEFAULT_PROFILE_LEVEL_ID = '42000a';

/** Profiles whose decoder decodes a stream of the key's, nearest first (H.264 Annex A.2). */
const supersets: Readonly<Record<Profile, readonly Profile[]>> = {
  'constrained-baseline': ['baseline', 'main', 'constrained-high', 'high', 'extended', 'high-444'],
  baseline: ['extended'],
  extended: [],
  main: ['high', 'high-444'],
  'constrained-high': ['high', 'high-444'],
  high: ['high-444'],
  'high-444': [],
  other: [],
};

const isProfileLevelId = (text: string): boolean => /^[0-9a-f]{6}$/i.test(text);

/** RFC 6184 §8.1, table 5. */
function profileOf(profileLevelId: string): Profile {
  const idc = Number.parseInt(profileLevelId.slice(0, 2), 16);
  const constraints = Number.parseInt(profileLevelId.slice(2, 4), 16);
  const set0 = (constraints & 0x80) !== 0;
  const set1 = (constraints & 0x40) !== 0;
  switch (idc) {
    case 0x42:
      return set1 ? 'constrained-baseline' : 'baseline';
    case 0x4d:
      return set0 ? 'constrained-baseline' : 'main';
    case 0x58:
      if (set0) return set1 ? 'constrained-baseline' : 'baseline';
      return 'extended';
    case 0x64:
      return (constraints & 0x0c) === 0x0c ? 'constrained-high' : 'high';
    case 0xf4:
      return 'high-444';
    default:
      return 'other';
  }
}

const levelOf = (profileLevelId: string): number => Number.parseInt(profileLevelId.slice(4, 6), 16);

/** `profile-level-id` of a format, six lower-case hexadecimal digits. */
export function profileLevelIdOf(format: SdpPayloadFormat): string {
  const text = format.parameters.get('profile-level-id') ?? DEFAULT_PROFILE_LEVEL_ID;
  return isProfileLevelId(text) ? text.toLowerCase() : DEFAULT_PROFILE_LEVEL_ID;
}

/** `packetization-mode` of a format: 0 unless it says otherwise (RFC 6184 §8.1). */
export const packetizationModeOf = (format: SdpPayloadFormat): string => format.parameters.get('packetization-mode') ?? '0';

/** An answer's parameters: the offered ones. The stream's level may be another where asymmetry is allowed (RFC 6184 §8.2.2). */
export function answerH264Parameters(format: SdpPayloadFormat): ReadonlyMap<string, string> {
  return new Map([
    ...(format.parameters.get('level-asymmetry-allowed') === '1' ? ([['level-asymmetry-allowed', '1']] as const) : []),
    ['packetization-mode', packetizationModeOf(format)],
    ['profile-level-id', profileLevelIdOf(format)],
  ]);
}

/**
 * The offered format that fits a stream best: its profile, else the nearest larger one, else the first that is there, since browsers list fewer
 * profiles than they decode (Chromium and Firefox play High without saying so). Only packetization mode 1.
 */
export function bestH264Format(
  formats: readonly SdpPayloadFormat[],
  streamProfileLevelId: string,
): { readonly format: SdpPayloadFormat; readonly match: H264Match } | undefined {
  const wanted = profileOf(streamProfileLevelId);
  const order = [wanted, ...supersets[wanted]];
  const cost = (format: SdpPayloadFormat): number => {
    const offered = profileLevelIdOf(format);
    const place = order.indexOf(profileOf(offered));
    const isLevelTooLow = levelOf(offered) < levelOf(streamProfileLevelId);
    return (place < 0 ? order.length : place) * 2 + (isLevelTooLow ? 1 : 0);
  };
  const usable = formats.filter((format) => packetizationModeOf(format) === '1');
  const format = usable.toSorted((left, right) => cost(left) - cost(right))[0];
  if (format === undefined) return undefined;
  const place = order.indexOf(profileOf(profileLevelIdOf(format)));
  return { format, match: place < 0 ? 'unlisted' : place === 0 ? 'exact' : 'compatible' };
}
