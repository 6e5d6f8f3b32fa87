import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';
import { History } from './shared-map.ts';

interface Value {
  readonly number: number;
}

describe('maps of those who hear the same', () => {
  it('take one step for what the others have heard, also with what is deleted', () => {
    const history = new History<Value>();
    const [first, second] = [history.map(), history.map()];
    const [one, two] = [{ number: 1 }, { number: 2 }];
    for (const map of [first, second]) {
      map.set('a', one);
      map.set('b', two);
      map.delete('a');
    }
    expect(history.steps).toHaveLength(3);
    expect([...second.keys()]).toEqual(['b']);
    expect([second.size, second.get('a'), second.get('b')]).toEqual([1, undefined, two]);
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))('hold what each of them was told, whatever it missed (seed %i)', (seed) => {
    const random = new Random(seed);
    const history = new History<Value>();
    const keys = Array.from({ length: 12 }, (_, at) => `k${at}`);
    const store = new Map<string, Value>();
    const log: (readonly [string, Value | undefined])[] = [];
    const nodes = Array.from({ length: 6 }, () => ({ map: history.map(), model: new Map<string, Value>(), read: 0 }));
    const tell = ({ map, model }: (typeof nodes)[number], key: string, value: Value | undefined): void => {
      if (value === undefined) expect(map.delete(key)).toBe(model.delete(key));
      else {
        map.set(key, value);
        model.set(key, value);
      }
    };
    for (let turn = 0; turn < 500; turn++) {
      const key = random.pick(keys) ?? '';
      const value = random.chance(0.3) ? undefined : { number: turn };
      if (value !== undefined || store.has(key)) log.push([key, value]);
      if (value === undefined) store.delete(key);
      else store.set(key, value);
      const node = random.pick(nodes) as (typeof nodes)[number];
      if (random.chance(0.1)) {
        // It was away, and is told what there is.
        for (const [present, its] of store) tell(node, present, its);
        for (const gone of [...node.model.keys()]) if (!store.has(gone)) tell(node, gone, undefined);
        node.read = log.length;
      }
      for (let many = random.between(0, 10); many > 0 && node.read < log.length; many--)
        tell(node, ...(log[node.read++] ?? ['', undefined]));
      expect(new Map(Array.from(node.map.keys(), (each) => [each, node.map.get(each)]))).toEqual(node.model);
      expect(node.map.size).toBe(node.model.size);
      expect(new Set(node.map.values())).toEqual(new Set(node.model.values()));
    }
    for (const node of nodes) for (const each of log.slice(node.read)) tell(node, ...each);
    for (const { map } of nodes) expect(new Map(Array.from(map.keys(), (each) => [each, map.get(each)]))).toEqual(store);
    // Nobody made history of what was old already.
    expect(history.steps.length).toBeLessThanOrEqual(log.length);
  });
});
