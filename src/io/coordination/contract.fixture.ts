// What every engine has to do, whichever it is.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUS_MESSAGE_BYTES_MAX, STORE_VALUE_BYTES_MAX } from '../../cluster/mod.ts';
import {
  bytes,
  type Client,
  create,
  type Engine,
  get,
  good,
  how,
  list,
  remove,
  request,
  Seen,
  text,
  uniqueName,
  update,
} from './coordination-clients.fixture.ts';

const WRITERS = 20;
const ROUNDS = 8;
/** Three servers on a busy machine take a while to agree on a leader. */
const START_WAIT = { timeout: 60_000, interval: 50 };
export const WAIT = { timeout: 15_000, interval: 10 };

/** Runs the contract of `Store` and `Bus` against two clients of an engine. */
export function describeContract(name: string, start: () => Promise<Engine>): void {
  describe(name, () => {
    let engine: Engine;
    let one: Client;
    let other: Client;
    const ends: (() => void)[] = [];
    const seeing = (client: Client, prefix: string): Seen => {
      const seen = new Seen(client.store, prefix);
      ends.push(seen.end);
      return seen;
    };

    beforeAll(async () => {
      engine = await start();
      one = engine.open();
      other = engine.open();
      for (const { bus, store } of [one, other]) {
        await connected(bus);
        await vi.waitFor(async () => good(await get(store, 'a')), START_WAIT);
      }
    });
    afterEach(() => {
      for (const end of ends.splice(0)) end();
    });
    afterAll(async () => {
      await one.close();
      await other.close();
      await engine.close();
    });

    storeCases(() => ({ one, other }));
    watchCases(() => ({ one, other, seeing }));
    busCases(() => ({ one, other, ends }));
  });
}

const connected = (bus: Client['bus']): Promise<void> =>
  new Promise((resolve) => {
    const end = bus.onConnected((isConnected) => {
      if (!isConnected) return;
      end();
      resolve();
    });
  });

type Two = () => { readonly one: Client; readonly other: Client };

function storeCases(two: Two): void {
  it('creates, reads, updates and deletes by revision, as every client sees it', async () => {
    const { one, other } = two();
    const key = `${uniqueName()}/show.1`;
    expect(good(await get(one.store, key))).toBeUndefined();
    const first = good(await create(one.store, key, 'a'));
    expect(good(await get(other.store, key))).toEqual({ key, value: bytes('a'), revision: first });
    const second = good(await update(other.store, key, 'b', first));
    expect(second).toBeGreaterThan(first);
    expect(text(good(await get(one.store, key))!.value)).toBe('b');
    good(await remove(one.store, key, second));
    expect(good(await get(other.store, key))).toBeUndefined();
  });

  it('refuses what does not have the revision that was said, and leaves it as it is', async () => {
    const { one, other } = two();
    const key = `${uniqueName()}/a`;
    const first = good(await create(one.store, key, 'a'));
    const second = good(await update(one.store, key, 'b', first));
    const results = [
      await create(other.store, key, 'x'),
      await update(other.store, key, 'x', first),
      await update(other.store, key, 'x', second + 1),
      await update(other.store, key, 'x', 0),
      await update(other.store, key, 'x', -1),
      await remove(other.store, key, first),
      await remove(other.store, key, 0),
      await update(other.store, `${key}-absent`, 'x', second),
      await remove(other.store, `${key}-absent`, second),
    ];
    expect(results.map(how)).toEqual(results.map(() => 'conflict'));
    expect(good(await get(other.store, key))).toEqual({ key, value: bytes('b'), revision: second });
    good(await remove(one.store, key, second));
    expect(how(await update(one.store, key, 'x', second))).toBe('conflict');
    expect(how(await remove(one.store, key, second))).toBe('conflict');
  });

  it('lets revisions of a key grow, also over deletions', async () => {
    const { one, other } = two();
    const key = `${uniqueName()}/a`;
    let last = 0;
    for (let round = 0; round < 4; round += 1) {
      const made = good(await create(one.store, key, `${round}`));
      expect(made).toBeGreaterThan(last);
      last = good(await update(other.store, key, 'again', made));
      expect(last).toBeGreaterThan(made);
      good(await remove(one.store, key, last));
    }
  });

  it('lists what begins with a prefix', async () => {
    const { one, other } = two();
    const base = uniqueName();
    for (const key of ['a/1', 'a/2', 'a.b/1', 'ab/1', 'a/2/x']) good(await create(one.store, `${base}/${key}`, key));
    const gone = good(await create(one.store, `${base}/a/3`, 'gone'));
    good(await remove(one.store, `${base}/a/3`, gone));
    const keys = async (prefix: string): Promise<string[]> =>
      good(await list(other.store, prefix))
        .map(({ key }) => key)
        .sort();
    expect(await keys(`${base}/a/`)).toEqual([`${base}/a/1`, `${base}/a/2`, `${base}/a/2/x`]);
    expect(await keys(`${base}/a.b/`)).toEqual([`${base}/a.b/1`]);
    expect(await keys(`${base}/none/`)).toEqual([]);
    expect(await keys('')).toEqual(expect.arrayContaining([`${base}/a/1`, `${base}/ab/1`]));
  });

  it('refuses keys and values that are not usable', async () => {
    const { one } = two();
    const bad = ['', '/', 'a/', '/a', 'a//b', 'a b', 'a/*', 'a/>', '.a', 'a..b', 'ä', 'a/b/c/d/e/f/g/h/i', 'a'.repeat(65)];
    for (const key of bad) {
      const results = [
        await get(one.store, key),
        await create(one.store, key, 'x'),
        await update(one.store, key, 'x', 1),
        await remove(one.store, key, 1),
      ];
      expect([key, ...results.map(how)]).toEqual([key, 'refused', 'refused', 'refused', 'refused']);
    }
    for (const prefix of ['a', '/', 'a//', '*/', 'a/>']) expect(how(await list(one.store, prefix))).toBe('refused');
    const key = `${uniqueName()}/large`;
    expect(how(await create(one.store, key, new Uint8Array(STORE_VALUE_BYTES_MAX + 1)))).toBe('refused');
    const largest = new Uint8Array(STORE_VALUE_BYTES_MAX).fill(7);
    good(await create(one.store, key, largest));
    expect(good(await get(one.store, key))!.value).toEqual(largest);
  });

  it('lets exactly one of many writers win each round', async () => {
    const { one, other } = two();
    const key = `${uniqueName()}/raced`;
    let revision = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const results = await Promise.all(
        Array.from({ length: WRITERS }, (_, writer) => {
          const { store } = writer % 2 === 0 ? one : other;
          return revision === 0 ? create(store, key, `${writer}`) : update(store, key, `${writer}`, revision);
        }),
      );
      const winners = results.flatMap((result, writer) => (result.ok ? [{ writer, revision: result.value }] : []));
      expect(results.filter((result) => how(result) === 'conflict')).toHaveLength(WRITERS - 1);
      expect(winners).toHaveLength(1);
      revision = winners[0]!.revision;
      expect(good(await get(other.store, key))).toEqual({ key, value: bytes(`${winners[0]!.writer}`), revision });
      // Each third round begins with a key that was deleted.
      if (round % 3 === 2) {
        good(await remove(one.store, key, revision));
        revision = 0;
      }
    }
  });
}

function watchCases(all: () => { one: Client; other: Client; seeing: (client: Client, prefix: string) => Seen }): void {
  it('tells watchers what is there, then that this was all, then what changes', async () => {
    const { one, other, seeing } = all();
    const base = uniqueName();
    const first = good(await create(one.store, `${base}/a/1`, 'x'));
    good(await create(one.store, `${base}/b/1`, 'not asked for'));
    const near = seeing(one, `${base}/a/`);
    const far = seeing(other, `${base}/a/`);
    await vi.waitFor(() => expect([near.isCurrent, far.isCurrent]).toEqual([true, true]), WAIT);
    const second = good(await update(one.store, `${base}/a/1`, 'y', first));
    good(await create(other.store, `${base}/a/2.z`, 'z'));
    good(await remove(other.store, `${base}/a/1`, second));
    for (const seen of [near, far]) await vi.waitFor(() => expect(seen.told).toContain(`-${base}/a/1`), WAIT);
    good(await create(one.store, `${base}/a/1`, 'new'));
    for (const seen of [near, far]) {
      await vi.waitFor(() => expect(seen.object).toEqual({ [`${base}/a/1`]: 'new', [`${base}/a/2.z`]: 'z' }), WAIT);
      expect(seen.told.slice(0, 2)).toEqual([`${base}/a/1=x`, 'current']);
      expect(seen.told.filter((what) => /went back|synchronous|lost|\/b\//.test(what))).toEqual([]);
    }
  });

  it('tells a watcher of nothing that nothing is there', async () => {
    const { one, seeing } = all();
    const seen = seeing(one, `${uniqueName()}/`);
    await vi.waitFor(() => expect(seen.told).toEqual(['current']), WAIT);
  });

  it('tells everything to a watcher that comes while others write', async () => {
    const { one, other, seeing } = all();
    const base = uniqueName();
    const writing = (async () => {
      for (let at = 0; at < 60; at += 1) good(await create(one.store, `${base}/${at}`, `${at}`));
    })();
    await vi.waitFor(async () => expect(good(await list(other.store, `${base}/`)).length).toBeGreaterThan(5), WAIT);
    const seen = seeing(other, `${base}/`);
    await writing;
    await vi.waitFor(() => expect(seen.known.size).toBe(60), WAIT);
    expect(seen.isCurrent).toBe(true);
  });

  it('tells nothing after the end, which may be said twice', async () => {
    const { one, seeing } = all();
    const base = uniqueName();
    const ended = seeing(one, `${base}/`);
    const other = seeing(one, `${base}/`);
    await vi.waitFor(() => expect([ended.isCurrent, other.isCurrent]).toEqual([true, true]), WAIT);
    ended.end();
    ended.end();
    good(await create(one.store, `${base}/a`, 'x'));
    await vi.waitFor(() => expect(other.known.size).toBe(1), WAIT);
    expect(ended.told).toEqual(['current']);
  });
}

function busCases(all: () => { one: Client; other: Client; ends: (() => void)[] }): void {
  const heard = (client: Client, pattern: string, ends: (() => void)[]): string[] => {
    const messages: string[] = [];
    ends.push(client.bus.subscribe(pattern, (subject, message) => messages.push(`${subject}: ${text(message)}`)));
    return messages;
  };

  it('carries messages to all who subscribed to the subject, also by wildcards', async () => {
    const { one, other, ends } = all();
    const base = uniqueName();
    const exact = heard(one, `${base}/eu.1/a`, ends);
    const parts = heard(other, `${base}/eu.1/*`, ends);
    const deep = heard(other, `${base}/**`, ends);
    const own = heard(one, `${base}/**`, ends);
    // A subscription takes its way to the server, too: repeated until everybody hears.
    await vi.waitFor(() => {
      one.bus.publish(`${base}/eu.1/a`, bytes('probe'));
      expect([exact, parts, deep, own].every((messages) => messages.length > 0)).toBe(true);
    }, WAIT);
    one.bus.publish(`${base}/eu.1/b`, bytes('1'));
    one.bus.publish(`${base}/us/x/y`, bytes('2'));
    one.bus.publish(`${base}/eu.1/a`, bytes('last'));
    const rest = (messages: string[]): string[] => messages.filter((message) => !message.endsWith('probe'));
    await vi.waitFor(() => expect([exact, parts, deep, own].every((messages) => messages.at(-1)?.endsWith('last'))).toBe(true), WAIT);
    expect(rest(exact)).toEqual([`${base}/eu.1/a: last`]);
    expect(rest(parts)).toEqual([`${base}/eu.1/b: 1`, `${base}/eu.1/a: last`]);
    expect(rest(deep)).toEqual([`${base}/eu.1/b: 1`, `${base}/us/x/y: 2`, `${base}/eu.1/a: last`]);
    expect(rest(own)).toEqual(rest(deep));
  });

  it('drops messages that are too large and subjects that are none', async () => {
    const { one, other, ends } = all();
    const base = uniqueName();
    const messages = heard(other, `${base}/**`, ends);
    await vi.waitFor(() => {
      one.bus.publish(`${base}/a`, bytes('probe'));
      expect(messages.length).toBeGreaterThan(0);
    }, WAIT);
    one.bus.publish(`${base}/large`, new Uint8Array(BUS_MESSAGE_BYTES_MAX + 1));
    one.bus.publish(`${base}/*`, bytes('x'));
    one.bus.publish('', bytes('x'));
    one.bus.publish(`${base}/fits`, new Uint8Array(BUS_MESSAGE_BYTES_MAX).fill(65));
    await vi.waitFor(() => expect(messages.at(-1)).toMatch(/\/fits: A+$/), WAIT);
    expect(messages.filter((message) => !message.endsWith('probe'))).toHaveLength(1);
    expect(how(await request(one.bus, `${base}/*`, 'x'))).toBe('nobody');
  });

  it('answers requests once, by one of those who serve', async () => {
    const { one, other, ends } = all();
    const subject = `${uniqueName()}/ask`;
    const served: string[] = [];
    const serve = (client: Client, name: string): void => {
      const end = client.bus.serve(subject, (message, reply) => {
        served.push(text(message));
        setImmediate(() => {
          reply(bytes(`${name} ${text(message)}`));
          reply(bytes('a second answer'));
        });
      });
      ends.push(end);
    };
    serve(other, 'other');
    await vi.waitFor(async () => expect(how(await request(one.bus, subject, 'probe'))).toBe('ok'), WAIT);
    serve(one, 'one');
    served.length = 0;
    const asked = Array.from({ length: 20 }, (_, at) => `q${at}`);
    const replies = await Promise.all(asked.map((question) => request(one.bus, subject, question)));
    const answers = replies.map((reply) => (reply.ok ? text(reply.value) : reply.failure));
    expect(answers.map((answer) => answer.split(' ')[1])).toEqual(asked);
    expect(served.toSorted()).toEqual(asked.toSorted());
  });

  it('says when nobody serves, and when no answer comes in time', async () => {
    const { one, other, ends } = all();
    const subject = `${uniqueName()}/ask`;
    expect(how(await request(one.bus, subject, 'x'))).toBe('nobody');
    let asked = 0;
    const end = other.bus.serve(subject, () => {
      asked += 1;
    });
    ends.push(end);
    await vi.waitFor(async () => expect(how(await request(one.bus, subject, 'x', 150))).toBe('timeout'), WAIT);
    expect(asked).toBeGreaterThan(0);
    end();
    await vi.waitFor(async () => expect(how(await request(one.bus, subject, 'x', 150))).toBe('nobody'), WAIT);
  });
}
