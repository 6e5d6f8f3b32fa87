import { describe, expect, it } from 'vitest';
import { run } from './run.ts';

/** More of them: `SIM_SEEDS=10000 npx vitest run sim`. */
const SEEDS = Math.ceil(Number(process.env['SIM_SEEDS'] ?? 300) / 10);
const BATCH = 10;
const SIZE = { nodes: 14, makers: 4, seconds: 40, lookMs: 500 };

describe('a simulated cluster with too few tasks', () => {
  it.each(Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, batch) => 1 + batch * BATCH))(
    'keeps what it promises, in seeds from %i on',
    (first) => {
      for (let seed = first; seed < first + BATCH && seed <= SEEDS; seed++) {
        try {
          expect(run({ ...SIZE, seed }).decidedChecks).toBeGreaterThan(0);
        } catch (error) {
          throw new Error(`again: npm run sim -- --seed ${seed} --nodes ${SIZE.nodes} --makers ${SIZE.makers} --seconds 40`, {
            cause: error,
          });
        }
      }
    },
    600_000,
  );
});
