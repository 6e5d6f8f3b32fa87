import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const environment = { SLUICE_ACCESS_ALLOWED_NETWORKS: '127.0.0.1' };

interface Event {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly data: { readonly reason?: string };
}

let dataFolder: string;
let server: ServerProcess;
let receiver: Server;
let isUp = false;
const received: Event[] = [];

beforeAll(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'sluice-webhooks-'));
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      if (!isUp) return void response.socket?.destroy();
      received.push(JSON.parse(body) as Event);
      return void response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  server = await ServerProcess.start({ dataFolder, environment });
});
afterAll(async () => {
  const code = await server?.close();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(dataFolder, { recursive: true, force: true });
  expect(code).toBe(0);
});

it('an event that was accepted arrives although the server was killed before', async () => {
  const headers = { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' };
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const body = JSON.stringify({ kind: 'events', url, events: { types: ['publisher.refused'] } });
  const made = await fetch(`${server.httpUrl}/api/v1/apps/live/webhooks`, { method: 'POST', headers, body });
  expect(made.status).toBe(201);
  const { id } = (await made.json()) as { id: string };

  // A wrong key: the simplest event of all.
  const offer = { method: 'POST', headers: { 'content-type': 'application/sdp', authorization: 'Bearer wrong' }, body: 'v=0\r\n' };
  expect((await fetch(`${server.httpUrl}/live/show/whip`, offer)).status).toBe(401);
  const sent = await vi.waitFor(async () => {
    const answer = await fetch(`${server.httpUrl}/api/v1/apps/live/webhooks/${id}/deliveries`, { headers });
    const [first] = ((await answer.json()) as { items: { id: string; status: string; attempts: number }[] }).items;
    expect(first).toMatchObject({ status: 'retrying' });
    expect(first?.attempts).toBeGreaterThan(1);
    return first;
  }, WAIT);

  await server.kill();
  isUp = true;
  server = await ServerProcess.start({ dataFolder, environment });
  await vi.waitFor(() => expect(received).toMatchObject([{ id: sent?.id, type: 'publisher.refused', stream: 'live/show' }]), WAIT);
  expect(received[0]?.data.reason).toBe('key-wrong');
}, 90_000);
