import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeRoutingRules, encodeRoutingRules, ROUTE_WEIGHTS, type RoutingRules } from './routing-rules.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

it('routing rules are read as they were written', () => {
  const rules: RoutingRules = {
    networks: { eu: ['10.1.0.0/16'], asia: [] },
    regionHeader: 'x-region',
    weights: { hasStream: 0, headroom: 5 },
  };
  expect(decodeRoutingRules(encodeRoutingRules(rules))).toEqual(rules);
});

it('weights that are none are the usual ones', () => {
  const text = JSON.stringify({ v: 1, weights: { hasStream: -1, headroom: 'much' } });
  expect(decodeRoutingRules(new TextEncoder().encode(text))).toEqual({ networks: {}, regionHeader: '', weights: ROUTE_WEIGHTS });
});

it('any bytes are read as rules or refused', () => {
  const value = fc.record({ v: fc.constant(1), networks: fc.jsonValue(), regionHeader: fc.jsonValue(), weights: fc.jsonValue() });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        value.map((made) => new TextEncoder().encode(JSON.stringify(made))),
      ),
      (bytes) => {
        const read = decodeRoutingRules(bytes);
        if (read !== undefined) expect(decodeRoutingRules(encodeRoutingRules(read))).toEqual(read);
      },
    ),
    { numRuns },
  );
});
