import { describe, expect, it } from 'vitest';
import { Agenda } from './agenda.ts';
import { Engine } from './engine.ts';
import { EngineClient } from './engine-client.ts';
import { Random } from './random.ts';

describe('the store and the bus of a simulated cluster', () => {
  it('tell nothing that was under way before somebody began to listen, and each what comes after it', () => {
    const agenda = new Agenda();
    const engine = new Engine(agenda, new Random(1));
    const client = (): EngineClient =>
      new EngineClient(engine, { latencyMs: 5, isCut: false, loop: { hand: (run) => run(), stirred: () => undefined } });
    const [early, late] = [client(), client()];
    const heard: string[] = [];
    const listen = (name: string, { store, bus }: EngineClient): void => {
      bus.subscribe('news/*', (subject) => heard.push(`${name} hears ${subject}`));
      const told = (what: string) => (): number => heard.push(`${name} is told ${what}`);
      store.watch('keys/', {
        changed: ({ key }) => heard.push(`${name} has ${key}`),
        deleted: told('of a deletion'),
        current: told('all'),
        lost: told('no more'),
      });
    };
    listen('early', early);
    agenda.runUntil(10);
    heard.length = 0;
    engine.write('keys/a', new Uint8Array(3), 0);
    engine.publish('news/a', new Uint8Array(3));
    agenda.runUntil(12);
    const before = late.traffic;
    listen('late', late);
    agenda.runUntil(30);
    expect(heard).toEqual(['early has keys/a', 'early hears news/a', 'late has keys/a', 'late is told all']);
    engine.publish('news/b', new Uint8Array(3));
    agenda.runUntil(40);
    expect(heard.slice(4)).toEqual(['early hears news/b', 'late hears news/b']);
    expect(late.traffic.messages - before.messages).toBeGreaterThanOrEqual(2);
  });
});
