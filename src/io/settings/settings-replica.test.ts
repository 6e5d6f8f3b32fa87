import { expect, it } from 'vitest';
import type { RecordSource } from '../../access/mod.ts';
import { encodeRoutingRules, ROUTE_WEIGHTS } from '../../cluster/mod.ts';
import { encodeDone } from '../../settings/mod.ts';
import { encodeLadder, encodeWeights } from '../../transcode/mod.ts';
import { SettingsReplica } from './settings-replica.ts';

type RecordWatcher = Parameters<RecordSource['watch']>[1];

const rules = { networks: { eu: ['10.0.0.0/8'] }, regionHeader: '', weights: ROUTE_WEIGHTS };
const weights = { v: 1, rules: [{ app: '*', stream: 'a', rung: '*', viewersMin: 0, weight: 2 }], pins: [] } as const;
const ladder = { template: 'abr', rungs: [], always: false, lingerMs: 0 } as const;

/** A store that says what the test says. */
class TestSource {
  private readonly watchers = new Map<string, RecordWatcher>();
  watch(prefix: string, watcher: RecordWatcher): () => void {
    this.watchers.set(prefix, watcher);
    return () => this.watchers.delete(prefix);
  }
  under(prefix: string): RecordWatcher {
    const watcher = this.watchers.get(prefix);
    if (watcher === undefined) throw new Error(`nobody watches ${prefix}`);
    return watcher;
  }
  get count(): number {
    return this.watchers.size;
  }
}

it('a node goes by what the store says, and forgets what was deleted while it was away', () => {
  const source = new TestSource();
  const told: string[] = [];
  const replica = new SettingsReplica(source, {
    ladderChanged: (app) => told.push(app),
    routingChanged: () => told.push('routing'),
    weightsChanged: () => told.push('weights'),
  });
  expect(replica.isRead).toBe(false);
  source.under('ladders/').changed({ key: 'ladders/live', value: encodeLadder(ladder) });
  source.under('ladders/').current();
  source.under('settings/').changed({ key: 'settings/routing', value: encodeRoutingRules(rules) });
  source.under('settings/').changed({ key: 'settings/transcoding', value: encodeWeights(weights) });
  source.under('settings/').current();
  expect([replica.isRead, replica.ladders.get('live'), replica.routing, replica.weights]).toEqual([true, ladder, rules, weights]);
  for (const prefix of ['ladders/', 'settings/']) {
    source.under(prefix).lost();
    source.under(prefix).current();
  }
  expect([replica.ladders.get('live'), replica.routing, replica.weights]).toEqual([undefined, undefined, undefined]);
  expect(told).toEqual(['live', 'routing', 'weights', 'live', 'routing', 'weights']);
  replica.close();
  expect(source.count).toBe(0);
});

it('a version is unfinished until it is said to be done', () => {
  const source = new TestSource();
  const replica = new SettingsReplica(source, {
    ladderChanged: () => undefined,
    routingChanged: () => undefined,
    weightsChanged: () => undefined,
  });
  expect(replica.unfinished).toBeUndefined();
  source.under('config-versions/').changed({ key: 'config-versions/000000000003', value: new Uint8Array() });
  expect(replica.unfinished).toBe(3);
  source.under('config/').changed({ key: 'config/done', value: encodeDone(3) });
  expect(replica.unfinished).toBeUndefined();
});
