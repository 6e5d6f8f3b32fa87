import type { ServerEvent } from '../../../src/api/server-event.ts';

/** Which answers are old when something happened; each is the first part of a query's key. The overview has the alarms. */
export const STALE_BY_EVENT: Readonly<Record<ServerEvent['type'], readonly string[]>> = {
  'stream.started': ['streams', 'overview', 'stream'],
  'stream.changed': ['streams', 'stream', 'overview'],
  'stream.ended': ['streams', 'overview', 'stream'],
  'node.changed': ['nodes', 'nodes-known', 'node', 'overview', 'relays', 'join-tokens'],
  'node.gone': ['nodes', 'node', 'overview', 'relays'],
  'source.changed': ['sources', 'overview'],
  'target.changed': ['targets', 'overview'],
  'recording.changed': ['recordings', 'overview'],
  'recording.started': ['recordings', 'overview'],
  'recording.ended': ['recordings', 'overview'],
  'recording.failed': ['recordings', 'overview'],
  'transcoding.changed': ['transcoding', 'stream', 'overview'],
  'transcoding.decided': ['transcoding', 'overview'],
  'app.changed': ['apps', 'app', 'usage', 'streams', 'overview'],
  'ladder.changed': ['ladder', 'overview'],
  'stream-key.changed': ['stream-keys', 'overview'],
  'revoked-token.changed': ['revoked-tokens', 'overview'],
  'webhook.changed': ['webhooks', 'overview'],
  'api-key.changed': ['api-keys', 'overview'],
  'routing.changed': ['route', 'overview'],
  'weights.changed': ['weights', 'transcoding', 'overview'],
  'config.changed': ['versions', 'version', 'overview'],
  // Join tokens are known to managers alone: that they change is seen by who changed them.
  'audit.added': ['audit', 'join-tokens', 'overview'],
};

/** How events go into fetches: the first at once, and then at most one round of fetches each `pauseMs`, however many events come. */
export class StaleKeys {
  private readonly pauseMs: number;
  private readonly waiting = new Set<string>();
  private freeAtMs = 0;

  constructor(pauseMs: number) {
    this.pauseMs = pauseMs;
  }

  /** Notes what is old now; returns after how long to call {@link take}, or undefined when that is on its way already. */
  add(keys: readonly string[], nowMs: number): number | undefined {
    const isOnItsWay = this.waiting.size > 0;
    for (const key of keys) this.waiting.add(key);
    return isOnItsWay || this.waiting.size === 0 ? undefined : Math.max(0, this.freeAtMs - nowMs);
  }

  take(nowMs: number): readonly string[] {
    const keys = [...this.waiting];
    this.waiting.clear();
    this.freeAtMs = nowMs + this.pauseMs;
    return keys;
  }
}

/** As many pages of a list are fetched anew at an event. */
const PAGES_LIVE_MAX = 5;

/** Whether an answer is a list of so many pages that it is fetched anew now and then, and not at each event. */
export const isLong = (data: unknown): boolean => pagesOf(data) > PAGES_LIVE_MAX;

/** How many pages of a list there are in an answer; 1 for what is no list of pages. */
export function pagesOf(data: unknown): number {
  const { pages } = (data ?? {}) as { pages?: unknown };
  return Array.isArray(pages) ? Math.max(1, pages.length) : 1;
}
