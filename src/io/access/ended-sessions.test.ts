import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { type KnownKey, SessionCookies } from '../../api/mod.ts';
import type { Store } from '../../cluster/mod.ts';
import { wallMs } from '../../core/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { EndedSessions } from './ended-sessions.ts';

const NOW = Date.UTC(2026, 0, 2);
const ADMIN: KnownKey & { held: 'admin' } = { id: 'k1', name: '', held: 'admin', apps: [] };
const SECRET = Buffer.alloc(32, 7);
const closings: { close(): void }[] = [];
afterEach(() => {
  for (const each of closings.splice(0).reverse()) each.close();
});

/** The sessions of a node. */
function node(store: Store): SessionCookies {
  const ended = new EndedSessions({ store, wall: () => NOW, log: pino({ enabled: false }) });
  closings.push(ended);
  return new SessionCookies({ secrets: () => [SECRET], wall: () => wallMs(NOW), keyOf: () => ADMIN, ended });
}

function openStore(): EmbeddedStore {
  const store = new EmbeddedStore({ file: join(mkdtempSync(join(tmpdir(), 'sluice-sessions-')), 'store.sqlite') });
  closings.push(store);
  return store;
}

const cookieOf = ({ cookie }: { cookie: string }): string => cookie.split(';')[0] ?? '';

it('a session that was ended on one node is over on all, also on those that start later', async () => {
  const store = openStore();
  const [first, second] = [node(store), node(store)];
  const ending = cookieOf(first.begin(ADMIN, true));
  const staying = cookieOf(first.begin(ADMIN, true));
  expect(second.sessionOf(ending)).toBeDefined();
  await second.end(second.sessionOf(ending), true);
  expect(second.sessionOf(ending)).toBeUndefined();
  await vi.waitFor(() => expect(first.sessionOf(ending)).toBeUndefined(), { timeout: 10_000 });
  const third = node(store);
  await vi.waitFor(() => expect(third.sessionOf(ending)).toBeUndefined(), { timeout: 10_000 });
  expect([first, second, third].every((each) => each.sessionOf(staying) !== undefined)).toBe(true);
});

it('no cookie can be made of what the store has', async () => {
  const store = openStore();
  const sessions = node(store);
  const { session } = sessions.begin(ADMIN, true);
  await sessions.end(session, true);
  const entries = await new Promise<string>((resolve) => {
    store.list('ended-sessions/', (result) =>
      resolve(result.ok ? result.value.map(({ key, value }) => key + Buffer.from(value)).join() : ''),
    );
  });
  expect(entries).toMatch(/^ended-sessions\/[0-9a-f]{32}/);
  expect(entries).not.toContain(session.id);
});

it('while the store is away, a session is ended here all the same', async () => {
  const away = (_key: string, done: (result: { ok: false; failure: 'unavailable'; detail: string }) => void): void =>
    done({ ok: false, failure: 'unavailable', detail: 'away' });
  const store = { get: away, list: away, watch: () => () => undefined } as unknown as Store;
  const sessions = node(store);
  const begun = sessions.begin(ADMIN, false);
  expect(await sessions.end(begun.session, false)).toContain('Max-Age=0');
  expect(sessions.sessionOf(cookieOf(begun))).toBeUndefined();
});

it('a store that does not answer is asked once at a time', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  closings.push({ close: () => vi.useRealTimers() });
  let asked = 0;
  const silent = { ...openStore(), watch: () => () => undefined, get: () => void asked++ } as unknown as Store;
  const ended = new EndedSessions({ store: silent, wall: () => NOW, log: pino({ enabled: false }) });
  closings.push(ended);
  void ended.add('a', NOW + 3_600_000);
  await vi.advanceTimersByTimeAsync(20_000);
  expect([asked, ended.has('a')]).toEqual([1, true]);
});
