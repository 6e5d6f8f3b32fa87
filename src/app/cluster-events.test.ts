import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerEvent } from '../api/mod.ts';
import { MemoryEngine } from '../cluster/memory-engine.fixture.ts';
import { encodeVersioned } from '../cluster/mod.ts';
import { ClusterEvents } from './cluster-events.ts';

describe('events of other nodes', () => {
  let engine: MemoryEngine;
  const heard = new Map<string, ServerEvent[]>();
  const nodes = new Map<string, ClusterEvents>();
  const settle = (): void => {
    vi.runAllTimers();
    engine.advance(100);
  };
  beforeEach(() => {
    vi.useFakeTimers();
    engine = new MemoryEngine();
    for (const id of ['n1', 'n2']) {
      const events: ServerEvent[] = [];
      heard.set(id, events);
      nodes.set(id, new ClusterEvents({ ownId: id, bus: engine.client().bus, heard: (event) => events.push(event) }));
    }
    settle();
  });
  afterEach(() => {
    for (const node of nodes.values()) node.close();
    vi.useRealTimers();
  });

  it('come with the node that they are of, and not to that node itself', () => {
    nodes.get('n1')?.tell({ type: 'target.changed', data: { name: 'live/show/tv', state: 'retrying' } });
    settle();
    expect(heard.get('n1')).toEqual([]);
    expect(heard.get('n2')).toEqual([{ type: 'target.changed', data: { name: 'live/show/tv', state: 'retrying', node: 'n1' } }]);
  });

  it('are left out where they are none that this software knows', () => {
    const { bus } = engine.client();
    const odd = [
      null,
      7,
      { type: 'odd.thing', data: {} },
      { type: 'source.changed' },
      { type: 'source.changed', data: { name: 'live/a', deep: {} } },
    ];
    bus.publish('events/n3', encodeVersioned({ v: 1, node: 'n3', events: odd }));
    bus.publish('events/n3', encodeVersioned({ v: 1, node: 'n3', events: 'none' }));
    bus.publish('events/n3', encodeVersioned({ v: 2, node: 'n3', events: [] }));
    settle();
    expect(heard.get('n2')).toEqual([{ type: 'source.changed', data: { name: 'live/a', node: 'n3' } }]);
  });

  it('end with the one who listens', () => {
    nodes.get('n2')?.close();
    nodes.get('n1')?.tell({ type: 'source.changed', data: {} });
    settle();
    expect(heard.get('n2')).toEqual([]);
  });
});
