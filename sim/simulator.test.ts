import { describe, expect, it } from 'vitest';
import { Agenda } from './agenda.ts';
import { Random } from './random.ts';
import { run } from './run.ts';

/** More of them: `SIM_SEEDS=10000 npx vitest run sim`. */
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 300);
const BATCH = 25;

describe('a simulated cluster', () => {
  // Every third one is large enough for digests instead of everybody's heartbeats.
  const sizes = [8, 12, 20];
  it.each(Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, batch) => 1 + batch * BATCH))(
    'keeps what it promises, in seeds from %i on',
    (first) => {
      for (let seed = first; seed < first + BATCH && seed <= SEEDS; seed++) {
        const nodes = sizes[seed % sizes.length] ?? 8;
        try {
          run({ seed, nodes, seconds: 40, lookMs: 500 });
        } catch (error) {
          throw new Error(`again: npm run sim -- --seed ${seed} --nodes ${nodes} --seconds 40`, { cause: error });
        }
      }
    },
    600_000,
  );

  it('runs the same way each time', () => {
    expect(run({ seed: 77, nodes: 20, seconds: 40 })).toEqual(run({ seed: 77, nodes: 20, seconds: 40 }));
  });
});

describe('virtual time', () => {
  it('runs what is due in order, also what is far away or asked for meanwhile', () => {
    const agenda = new Agenda();
    const ran: string[] = [];
    agenda.after(40_000, () => ran.push(`far ${agenda.now}`));
    agenda.after(5, () => agenda.after(0, () => ran.push(`second ${agenda.now}`)));
    agenda.after(5, () => ran.push(`first ${agenda.now}`));
    agenda.runUntil(39_999);
    expect(ran).toEqual(['first 5', 'second 5']);
    agenda.runUntil(50_000);
    expect(ran.at(-1)).toBe('far 40000');
  });

  it('draws the same numbers from the same seed, evenly', () => {
    const [one, same, other] = [new Random(1), new Random(1), new Random(2)];
    const numbers = Array.from({ length: 10_000 }, () => one.next());
    expect(Array.from({ length: 10_000 }, () => same.next())).toEqual(numbers);
    expect(other.next()).not.toBe(numbers[0]);
    expect(numbers.reduce((sum, number) => sum + number, 0) / numbers.length).toBeCloseTo(0.5, 1);
  });
});
