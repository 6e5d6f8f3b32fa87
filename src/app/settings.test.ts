import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Settings } from './settings.ts';
import { TEST_ADMIN, TestSettings } from './settings-api.fixture.ts';

const WAIT = { timeout: 20_000 };
let test: TestSettings;
let own: Settings;
beforeEach(async () => {
  test = await TestSettings.start();
  own = test.own;
});
afterEach(() => test.close());

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what is in an answer is what the tests look at.
  readonly body: any;
}

async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, key = TEST_ADMIN): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await test.fastify.inject({ method, url: `/api/v1${path}`, headers, ...(body === undefined ? {} : { payload }) });
  return { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
}

const ladder = (height: number): object => ({ template: 'custom', rungs: [{ name: 'small', height }] });

describe('a ladder', () => {
  it('set by the API counts instead of the configuration, on every node, until it is unset', async () => {
    const other = test.node();
    let told = 0;
    other.whenLaddersChange(() => told++);
    expect((await call('GET', '/apps/live/ladder')).body).toMatchObject({ template: 'abr', source: 'configuration' });
    const configured = other.ladderOf('live');
    expect(other.ladderOf('live')).toBe(configured);
    const { status, body } = await call('PUT', '/apps/live/ladder', ladder(540));
    expect([status, body]).toEqual([
      200,
      {
        template: 'custom',
        rungs: [
          { name: 'small', codec: 'h264', height: 540, frameRateMax: 0, bitrateBps: 0, preset: 'veryfast', encoder: 'auto', channels: 0 },
        ],
        always: false,
        lingerMs: 10_000,
        source: 'settings',
      },
    ]);
    await expect.poll(() => own.ladderOf('live').rungs, WAIT).toMatchObject([{ name: 'small', height: 540 }]);
    await expect.poll(() => other.ladderOf('live').rungs, WAIT).toMatchObject([{ name: 'small', height: 540 }]);
    await expect.poll(() => told, WAIT).toBeGreaterThan(0);
    expect((await call('DELETE', '/apps/live/ladder')).status).toBe(204);
    expect((await call('GET', '/apps/live/ladder')).body.source).toBe('configuration');
    await expect.poll(() => other.ladderOf('live'), WAIT).toEqual(configured);
  });

  it.each([
    [{ template: 'custom', rungs: [{ name: 'a', height: 541 }] }, /^rungs\[0\]\.height: 541 is not right: encoders take even heights/],
    [{ template: 'custom' }, /^template: "custom" makes the rungs in/],
    [{ template: 'Abr' }, /^template: "Abr" is not right: it takes one of off, webrtc, abr, custom/],
    [{ lingerms: 5 }, /^lingerms: unknown key; did you mean lingerMs\?/],
    [{ template: 'custom', rungs: [{ height: 360 }] }, /^rungs\[0\]\.name: missing/],
    [{ always: 'yes' }, /^always: "yes" is not right: it takes true or false/],
    [[], /takes a group of keys/],
    ['null', /takes a group of keys/],
  ])('that is not right is refused, and the key is named: %j', async (wish, said) => {
    const { status, body } = await call('PUT', '/apps/live/ladder', wish);
    expect([status, body.code]).toEqual([400, 'config.invalid']);
    expect(body.detail).toMatch(said);
    expect((await call('GET', '/config')).body.version).toBe(0);
  });

  it('of another app is for nobody but an admin', async () => {
    expect((await call('PUT', '/apps/live/ladder', ladder(360), 'sk_app_live')).status).toBe(200);
    expect((await call('PUT', '/apps/live/ladder', ladder(360), 'sk_app_news')).body.code).toBe('apps.not-found');
    expect((await call('GET', '/apps/nothing/ladder')).body.code).toBe('apps.not-found');
    expect((await call('PUT', '/apps/..%2Fx/ladder', ladder(360))).status).toBe(404);
  });
});

describe('routing rules', () => {
  it('are set and unset for all nodes', async () => {
    const told: unknown[] = [];
    test.node().whenRoutingChanges((rules) => told.push(rules));
    const wish = { networks: { eu: ['10.1.0.0/16'] }, regionHeader: 'x-region' };
    expect((await call('PUT', '/cluster/routing', wish)).body).toEqual({
      ...wish,
      weights: { hasStream: 3, headroom: 10 },
      source: 'settings',
    });
    await expect.poll(() => told.at(-1), WAIT).toMatchObject(wish);
    expect((await call('DELETE', '/cluster/routing')).status).toBe(204);
    expect((await call('GET', '/cluster/routing')).body.source).toBe('configuration');
    await expect.poll(() => told.at(-1), WAIT).toBeUndefined();
  });

  it.each([
    [{ networks: { eu: ['10.1.0.0/99'] } }, /^networks\.eu\[0\]: /],
    [{ networks: { '../x': [] } }, /networks\.\.\.\/x: not usable as a name/],
    [{ regionHeader: 'x\r\ny' }, /^regionHeader: .*no header/],
    [{ weights: { hasStream: -1 } }, /^weights\.hasStream: -1 is not right: it takes a number from 0 to 1000/],
  ])('that are not right are refused: %j', async (wish, said) => {
    const { body } = await call('PUT', '/cluster/routing', wish);
    expect(body.code).toBe('config.invalid');
    expect(body.detail).toMatch(said);
  });
});

describe('weights of transcoding', () => {
  const rule = { app: 'live', stream: '*', rung: '*', viewersMin: 0, weight: 3 };
  it('are set on all nodes as a version, which can be rolled back', async () => {
    const other = test.node();
    const weightOf = (): number => other.weights.of('live/a', '720p', 1).weight;
    expect((await call('GET', '/transcoding/weights')).body).toEqual({ rules: [], pins: [] });
    const wish = { rules: [rule], pins: [{ stream: 'live/b', rung: '720p' }] };
    expect(await call('PUT', '/transcoding/weights', wish)).toMatchObject({ status: 200, body: wish });
    expect((await call('GET', '/transcoding/weights')).body).toEqual(wish);
    // Who set them is not kept waiting until they are known here.
    expect(own.weights.of('live/a', '720p', 1)).toEqual({ weight: 3, isPinned: false, pinnedTo: undefined });
    await expect.poll(weightOf, WAIT).toBe(3);
    expect((await call('GET', '/config')).body).toMatchObject({ version: 1, transcoding: wish });
    const [version] = (await call('GET', '/config/versions')).body.items;
    expect(version).toMatchObject({ version: 1, action: 'setTranscodingWeights', state: 'done' });
    expect((await call('PUT', '/transcoding/weights', wish)).status).toBe(200);
    expect((await call('POST', '/config/versions/0/rollback')).body.version).toBe(2);
    expect((await call('GET', '/transcoding/weights')).body).toEqual({ rules: [], pins: [] });
    await expect.poll(weightOf, WAIT).toBe(1);
  });
});

describe('the document of settings', () => {
  it('is applied, shown, changed, and rolled back to any version', async () => {
    const first = { apps: { news: { note: 'n', ladder: { template: 'abr' } } }, routing: { regionHeader: 'x-region' } };
    const dry = await call('POST', '/config?dryRun=true', first);
    expect(dry.body).toMatchObject({ version: 0, applied: false });
    expect(dry.body.changes.map(({ path }: { path: string }) => path)).toEqual(['apps.news', 'routing']);
    expect((await call('GET', '/config')).body).toEqual({ version: 0, apps: {}, transcoding: null, routing: null });
    expect((await call('POST', '/config?note=begin', first)).body).toMatchObject({ version: 1, applied: true, changes: dry.body.changes });
    const shown = (await call('GET', '/config')).body;
    expect(shown).toMatchObject({ version: 1, apps: { news: { note: 'n', publishFromLoopback: null, ladder: { template: 'abr' } } } });
    expect((await call('POST', '/config?prune=true', shown)).body).toEqual({ version: 1, applied: false, changes: [] });
    const second = await call('POST', '/config', { apps: { news: { playback: { policy: 'token' }, ladder: { template: 'off' } } } });
    expect(second.body.changes).toEqual([
      { path: 'apps.news.playback.policy', before: 'public', after: 'token' },
      { path: 'apps.news.ladder.template', before: 'abr', after: 'off' },
    ]);
    await call('PUT', '/apps/live/ladder', ladder(360));
    expect((await call('GET', '/config/versions')).body.items.map((item: { action: string }) => item.action)).toEqual([
      'setLadder',
      'applySettings',
      'applySettings',
    ]);
    expect((await call('GET', '/config/versions/1')).body).toMatchObject({
      note: 'begin',
      after: { apps: shown.apps },
      before: { apps: {} },
    });
    expect((await call('POST', '/config/versions/1/rollback?dryRun=true')).body.applied).toBe(false);
    expect((await call('POST', '/config/versions/1/rollback')).body).toMatchObject({ version: 4, applied: true });
    expect((await call('GET', '/config')).body).toEqual({ ...shown, version: 4 });
    expect((await call('POST', '/config/versions/0/rollback')).body.version).toBe(5);
    expect((await call('GET', '/config')).body).toEqual({ version: 5, apps: {}, transcoding: null, routing: null });
    expect((await call('POST', '/config/versions/4/rollback')).body.version).toBe(6);
    expect((await call('GET', '/config')).body).toEqual({ ...shown, version: 6 });
    expect((await call('POST', '/config/versions/9/rollback')).body.code).toBe('config.version-not-found');
    expect((await call('GET', '/config/versions/9')).body.code).toBe('config.version-not-found');
  });

  it('takes the example of its page, and takes what it shows of it', async () => {
    const page = readFileSync(new URL('../../docs/config-as-data.md', import.meta.url), 'utf8');
    const example: unknown = parse(/```yaml\n(.*?)```/s.exec(page)?.[1] ?? '');
    expect((await call('POST', '/config', example)).body).toMatchObject({ version: 1, applied: true });
    const shown = (await call('GET', '/config')).body;
    expect(shown.apps.live.limits).toEqual({
      streams: null,
      viewers: 5000,
      bitrateInBps: null,
      bitrateOutBps: null,
      transcodeMinutes: null,
      recordingMinutes: null,
    });
    expect((await call('POST', '/config?prune=true', shown)).body).toEqual({ version: 1, applied: false, changes: [] });
    await call('POST', '/config', { apps: { live: { limits: { viewers: null } } } });
    expect((await call('GET', '/config')).body.apps.live.limits).toMatchObject({ viewers: null });
  });

  it('of another version is refused, unless it is forced', async () => {
    await call('POST', '/config', { apps: { news: {} } });
    const stale = { version: 0, apps: { news: { note: 'late' } } };
    expect((await call('POST', '/config', stale)).body).toMatchObject({ status: 409, code: 'config.changed' });
    expect((await call('POST', '/config?base=0', { apps: {} })).status).toBe(409);
    expect((await call('POST', '/config?force=true', stale)).body).toMatchObject({ version: 2, applied: true });
  });

  it('is changed by one of two who begin with the same version', async () => {
    const answers = await Promise.all(['a', 'b', 'c'].map((note) => call('POST', '/config?base=0', { apps: { news: { note } } })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect((await call('GET', '/config')).body.version).toBe(1);
  });

  it('prunes apps when asked to, but none of the configuration, and unsets what is null', async () => {
    await call('POST', '/config', { apps: { live: { ladder: ladder(360), secondPublisher: 'takeover' }, news: {}, old: {} } });
    const { body } = await call('POST', '/config?prune=true', { apps: { news: {} } });
    expect(body.changes).toEqual([{ path: 'apps.old', before: expect.objectContaining({ note: '' }) }]);
    const unset = await call('POST', '/config', { apps: { live: { ladder: null, secondPublisher: null } } });
    expect(unset.body.changes.map(({ path }: { path: string }) => path)).toEqual(['apps.live.secondPublisher', 'apps.live.ladder']);
  });

  it.each([
    ['a text', /takes a group|group of keys/],
    [{ more: 1 }, /^more: unknown key; the document takes apps, transcoding, routing/],
    [{ apps: [] }, /^apps: \[\] is not right here/],
    [{ apps: { '../etc': {} } }, /^apps\.\.\.\/etc: not usable as a name/],
    [{ apps: { constructor: {} } }, /^apps\.constructor: not usable as a name/],
    [{ apps: { api: {} } }, /^apps\.api: this name is a reserved word/],
    [{ apps: { news: { keys: ['k'] } } }, /^apps\.news\.keys: unknown key/],
    [{ apps: { news: { note: 5 } } }, /^apps\.news\.note: 5 is not right: it takes a text of at most 100 characters/],
    [{ apps: { news: { playback: {} } } }, /^apps\.news\.playback\.policy: missing/],
    [
      { apps: { news: { limits: { viewers: '5' } } } },
      /^apps\.news\.limits\.viewers: "5" is not right: it takes a whole number from 0 to /,
    ],
    [{ apps: { news: { limits: { viewer: 5 } } } }, /^apps\.news\.limits\.viewer: unknown key; did you mean apps\.news\.limits\.viewers\?/],
    [{ apps: { news: { ladder: { template: 'x' } } } }, /^apps\.news\.ladder\.template: "x" is not right/],
    [{ transcoding: { rules: [{ weight: 'much' }] } }, /^transcoding\.rules\[0\]\.weight: "much" is not right: it takes a number from 0/],
    [{ routing: { networks: [] } }, /^routing\.networks: /],
  ])('that is not right is refused as a whole: %j', async (wish, said) => {
    const { status, body } = await call('POST', '/config', typeof wish === 'string' ? JSON.stringify(wish) : wish);
    expect([status, body.code]).toEqual([400, 'config.invalid']);
    expect(body.detail).toMatch(said);
    expect((await call('GET', '/config')).body.version).toBe(0);
  });

  it('is for admins alone, and its size has a bound', async () => {
    expect((await call('POST', '/config', {}, 'sk_app_live')).status).toBe(403);
    expect((await call('GET', '/config', undefined, 'sk_none')).status).toBe(401);
    expect((await call('POST', '/config', `{"apps":"${'x'.repeat(9 * 1024 * 1024)}"}`)).body.code).toBe('api.body-too-large');
    expect((await call('POST', '/config', '{"__proto__": {"a": 1}}')).status).toBe(400);
    expect((await call('POST', '/config?prune=perhaps', {})).status).toBe(400);
  });

  it('may have ten thousand apps, and no more', async () => {
    const apps = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`app${index}`, { note: String(index) }]));
    expect((await call('POST', '/config', { apps: apps(10_001) })).body.detail).toMatch(/10001 are too many/);
    const { body } = await call('POST', '/config', { apps: apps(10_000) });
    expect([body.version, body.changes.length]).toEqual([1, 10_000]);
    expect((await call('GET', '/config/versions')).body.items).toMatchObject([{ version: 1, settings: 10_000 }]);
    expect((await call('POST', '/config/versions/0/rollback')).body.changes).toHaveLength(10_000);
    expect((await call('GET', '/config')).body.apps).toEqual({});
  }, 120_000);
});
