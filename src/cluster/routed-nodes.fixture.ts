import { monotonicMs } from '../core/mod.ts';
import { edgeRecord } from './node-record.fixture.ts';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import type { RoutedNodes } from './routing.ts';

/** An edge in `eu` as another node sees it, which hears no heartbeats of it. */
export const edgeView = (id: string, record: Partial<NodeRecord> = {}, more: Partial<NodeView> = {}): NodeView => ({
  record: edgeRecord(id, record),
  heartbeat: undefined,
  incarnation: 1,
  headroom: 1,
  isStale: false,
  heardAt: monotonicMs(0),
  clockOffsetMs: undefined,
  ...more,
});

/** These and no others, as they are when somebody asks. */
export const routedNodes = (views: () => readonly NodeView[]): RoutedNodes => ({
  recordsOf: (region) =>
    views()
      .map(({ record }) => record)
      .filter((record) => region === undefined || record.region === region),
  node: (id) => views().find(({ record }) => record.id === id),
});
