import type { Holder } from './claim-record.ts';
import { readAmount, readCount, readText, type UnknownFields } from './versioned-json.ts';

/** A track in a few words, for lists. */
export interface TrackSummary {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
}

/** What the origin of a stream says of it, under `streams/APP/NAME`. */
export interface StreamBody {
  readonly startedWallMs: number;
  /** The newest that the origin has told. */
  readonly discontinuity: number;
  /** `held`: the publisher dropped, and may come back to any node. */
  readonly state: 'live' | 'held';
  /** How the publisher sends: `rtmp`, `webrtc`, … */
  readonly protocol: string;
  readonly tracks: readonly TrackSummary[];
  /** Beside `source`. */
  readonly renditions: readonly string[];
  /** Who makes them where that is not the origin, by rendition: they can be had there when somebody watches. */
  readonly makers?: Readonly<Record<string, Holder>>;
}

export const STREAMS_PREFIX = 'streams/';

const TRACKS_MAX = 64;
const RENDITIONS_MAX = 64;
const TEXT_LENGTH_MAX = 128;

/** The node that makes a rendition, where that is not the origin. */
export const makerOf = ({ makers }: StreamBody, rendition: string): Holder | undefined =>
  makers !== undefined && Object.hasOwn(makers, rendition) ? makers[rendition] : undefined;

/** Reads what a claim says of its stream; undefined for what is no such thing. */
export function readStreamBody(json: unknown): StreamBody | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const fields = json as UnknownFields;
  const startedWallMs = readAmount(fields['startedWallMs']);
  const { tracks, renditions } = fields;
  if (startedWallMs === undefined || !Array.isArray(tracks) || !Array.isArray(renditions)) return undefined;
  return {
    startedWallMs,
    discontinuity: readCount(fields['discontinuity']) ?? 0,
    state: fields['state'] === 'held' ? 'held' : 'live',
    protocol: readText(fields['protocol'], TEXT_LENGTH_MAX) ?? '',
    tracks: tracks.slice(0, TRACKS_MAX).flatMap(readTrack),
    renditions: renditions.slice(0, RENDITIONS_MAX).flatMap((name) => readText(name, TEXT_LENGTH_MAX) ?? []),
    ...readMakers(fields['makers']),
  };
}

/** Origins that place nothing elsewhere, and those of before, say nothing of makers. */
function readMakers(json: unknown): Pick<StreamBody, 'makers'> {
  if (typeof json !== 'object' || json === null) return {};
  const makers = Object.entries(json as UnknownFields)
    .slice(0, RENDITIONS_MAX)
    .flatMap(readMaker);
  return makers.length === 0 ? {} : { makers: Object.fromEntries(makers) };
}

function readMaker([rendition, json]: readonly [string, unknown]): readonly (readonly [string, Holder])[] {
  if (typeof json !== 'object' || json === null || rendition.length > TEXT_LENGTH_MAX) return [];
  const fields = json as UnknownFields;
  const node = readText(fields['node'], TEXT_LENGTH_MAX);
  const incarnation = readCount(fields['incarnation']);
  return node === undefined || incarnation === undefined ? [] : [[rendition, { node, incarnation }]];
}

function readTrack(json: unknown): readonly TrackSummary[] {
  if (typeof json !== 'object' || json === null) return [];
  const { kind, codec, width, height } = json as UnknownFields;
  const name = readText(codec, TEXT_LENGTH_MAX);
  if ((kind !== 'video' && kind !== 'audio') || name === undefined) return [];
  const [columns, lines] = [readCount(width), readCount(height)];
  return [{ kind, codec: name, ...(columns === undefined ? {} : { width: columns }), ...(lines === undefined ? {} : { height: lines }) }];
}

/** What a regional origin says of a stream, under `regions/REGION/APP/NAME`: nothing but that it is the one. */
export type RegionalBody = Readonly<Record<string, never>>;

export const REGIONS_PREFIX = 'regions/';
export const regionPrefix = (region: string): string => `${REGIONS_PREFIX}${region}/`;
export const readRegionalBody = (json: unknown): RegionalBody | undefined => (typeof json === 'object' && json !== null ? {} : undefined);
