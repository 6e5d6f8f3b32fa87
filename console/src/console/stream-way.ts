import type { RelayResource, StreamPlaceResource } from '../../../src/api/console-contract.ts';

/** One step of a stream from node to node. */
export interface WayStep {
  readonly from: string;
  readonly to: string;
  /** Half of the frames came within so long, by both clocks; absent before there is a figure. */
  readonly p50Ms?: number;
}

/** How a stream comes to a node. */
export interface Way {
  readonly place: StreamPlaceResource;
  /** Empty at the origin. */
  readonly steps: readonly WayStep[];
  /** Of all steps; undefined where one has no figure. */
  readonly latencyMs: number | undefined;
}

/** The ways of a stream to the nodes that have it, with how long each step takes. */
export function waysOf(places: readonly StreamPlaceResource[], relays: readonly RelayResource[]): readonly Way[] {
  const measured = new Map(relays.map((relay) => [`${relay.from} ${relay.to}`, relay]));
  return places.map((place) => {
    const passed = [...place.hops, place.node];
    const steps = passed.slice(1).map((to, index): WayStep => {
      const from = passed[index] ?? '';
      const p50Ms = measured.get(`${from} ${to}`)?.p50Ms;
      return { from, to, ...(p50Ms === undefined ? {} : { p50Ms }) };
    });
    const sum = steps.reduce((total, { p50Ms = Number.NaN }) => total + p50Ms, 0);
    return { place, steps, latencyMs: Number.isNaN(sum) ? undefined : sum };
  });
}

/** Sums of viewers by what `nameOf` says of a place, the most first; those without viewers are left out. */
export function viewersBy(
  places: readonly StreamPlaceResource[],
  countsOf: (place: StreamPlaceResource) => Readonly<Record<string, number>>,
): readonly (readonly [name: string, viewers: number])[] {
  const sums = new Map<string, number>();
  for (const place of places) {
    for (const [name, count] of Object.entries(countsOf(place))) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return [...sums].filter(([, count]) => count > 0).sort(([, left], [, right]) => right - left);
}
