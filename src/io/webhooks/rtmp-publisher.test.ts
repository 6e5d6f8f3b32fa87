import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { UrlPolicy } from '../../access/mod.ts';
import { durationMs, sizeBytes } from '../../core/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import { defaultRtmpClientOptions, RtmpClientSession, type RtmpCloseReason } from '../../protocols/rtmp/mod.ts';
import { systemClock } from '../clock.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { openGate } from '../open-gate.fixture.ts';
import { nodeRtmpCrypto, RtmpListener } from '../rtmp/mod.ts';
import { HookReceiver, status } from './hook-receiver.fixture.ts';
import { Webhooks } from './webhooks.ts';

const WAIT = { timeout: 20_000, interval: 20 };
const log = pino({ level: 'silent' });
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function setUp() {
  const receiver = await HookReceiver.start();
  closers.push(() => receiver.close());
  const dataFolder = mkdtempSync(join(tmpdir(), 'sluice-hooks-'));
  const store = new EmbeddedStore({ file: join(dataFolder, 'store.sqlite') });
  closers.push(() => store.close());
  const policy = new UrlPolicy({ allowedNetworks: ['127.0.0.1'], allowedFolders: [] });
  const hooks = new Webhooks({ store, dataFolder, nodeId: 'n1', policy, hasApp: () => true, clock: systemClock, log });
  closers.push(() => hooks.close());
  await vi.waitFor(() => expect(hooks.isRead).toBe(true), WAIT);
  const admission = { for: ['publish' as const], timeoutMs: 10_000, whenDown: 'refuse' as const, cacheS: 60 };
  const { id } = await hooks.registry.create('live', { kind: 'admission', url: receiver.url, note: '', enabled: true, admission }, false);
  await vi.waitFor(() => expect(hooks.registry.find('live', id)).toBeDefined(), WAIT);
  const listener = new RtmpListener({
    host: '127.0.0.1',
    port: 0,
    portKey: 'rtmp.port',
    portVariable: 'SLUICE_RTMP_PORT',
    connectionsMax: 10,
    connectionsPerAddressMax: 10,
    broadcast: { batchMs: durationMs(50), sendQueueBytesMax: sizeBytes(2_000_000), stalledMsMax: durationMs(10_000) },
    gopCacheBytesMax: sizeBytes(1_000_000),
    secondPublisher: () => 'reject',
    hub: makeHub(),
    access: hooks.behind(openGate),
    clock: systemClock,
    log,
  });
  await listener.listen();
  closers.push(() => listener.close());
  return { receiver, port: listener.port };
}

/** Tries to publish; settles when it is let in, or with why it is not. */
function publish(port: number): Promise<'started' | RtmpCloseReason> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    closers.push(() => socket.destroy());
    const session = new RtmpClientSession(
      { send: (bytes) => socket.write(bytes), started: () => resolve('started'), media: () => undefined, closed: resolve },
      { intent: 'publish', app: 'live', tcUrl: `rtmp://127.0.0.1:${port}/live`, streamKey: 'show' },
      defaultRtmpClientOptions,
      nodeRtmpCrypto,
      systemClock.monotonic(),
    );
    socket.on('connect', () => session.start());
    socket.on('data', (bytes) => session.receive(bytes, systemClock.monotonic()));
    socket.on('error', () => undefined);
  });
}

it('an RTMP publisher is told the reason of the hook that refuses it, and is let in by one that allows it', async () => {
  const { receiver, port } = await setUp();
  receiver.answer = status(200, JSON.stringify({ allow: false, reason: 'the event begins\r\nat eight' }));
  const refused = await publish(port);
  expect(refused).toMatchObject({ detail: expect.stringContaining('a webhook of the app does not allow it: the event begins at eight') });
  expect(receiver.events).toMatchObject([{ type: 'publish', stream: 'live/show', protocol: 'rtmp', address: '127.0.0.1' }]);
  receiver.answer = status(204);
  expect(await publish(port)).toBe('started');
});
