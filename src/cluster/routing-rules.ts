import { decodeVersioned, encodeVersioned, readAmount, readText, type UnknownFields } from './versioned-json.ts';

/** What counts how much when a node is chosen among those that are as near. */
export interface RouteWeights {
  /** That a node has the stream already. */
  readonly hasStream: number;
  /** A node with nothing to do; one with less head-room counts less. */
  readonly headroom: number;
}

/** Where clients are sent, and by what, as the store keeps it under `settings/routing`. */
export interface RoutingRules {
  /** The networks of the clients near a region, by its name. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  /** A header in which a proxy in front says a client's region; '' for none. */
  readonly regionHeader: string;
  readonly weights: RouteWeights;
}

/** A node that has the stream already needs no relay for it; worth it until it is three tenths busier than another. */
export const ROUTE_WEIGHTS: RouteWeights = { hasStream: 3, headroom: 10 };
const WEIGHT_MAX = 1000;
const TEXT_LENGTH_MAX = 64;

export const encodeRoutingRules = ({ networks, regionHeader, weights }: RoutingRules): Uint8Array =>
  encodeVersioned({ v: 1, networks, regionHeader, weights });

/** Reads borrowed bytes; undefined for what cannot be read. */
export function decodeRoutingRules(bytes: Uint8Array): RoutingRules | undefined {
  const fields = decodeVersioned(bytes);
  if (fields === undefined) return undefined;
  const weights = objectOf(fields['weights']);
  return {
    networks: Object.fromEntries(Object.entries(objectOf(fields['networks'])).map(([region, list]) => [region, texts(list)])),
    regionHeader: readText(fields['regionHeader'], TEXT_LENGTH_MAX) ?? '',
    weights: {
      hasStream: weightOf(weights['hasStream']) ?? ROUTE_WEIGHTS.hasStream,
      headroom: weightOf(weights['headroom']) ?? ROUTE_WEIGHTS.headroom,
    },
  };
}

const objectOf = (value: unknown): UnknownFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as UnknownFields) : {};
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string' && text.length <= TEXT_LENGTH_MAX) : [];
function weightOf(value: unknown): number | undefined {
  const amount = readAmount(value);
  return amount === undefined || amount > WEIGHT_MAX ? undefined : amount;
}
