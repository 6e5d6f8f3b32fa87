import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JoinTokenWish, NodeResource } from '../../api/mod.ts';
import { CLUSTER_PROTOCOL, nodeKey, REVOKED_PREFIX } from '../../cluster/mod.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { renewCertificate, serveRenewals } from './certificate-renewal.ts';
import { type JoinOptions, joinCluster, ownAddressTowards } from './join-client.ts';
import { TestManager } from './joinable-cluster.fixture.ts';
import { certificateOf, identityFile, loadIdentity } from './node-identity.ts';
import { createNodeKey, createRequest } from './node-key.ts';

const HOUR_S = 3600;
let manager: TestManager;
const folders: string[] = [];

const wish = (change: Partial<JoinTokenWish> = {}): JoinTokenWish => ({
  roles: ['edge', 'origin'],
  regions: [],
  usesMax: 1,
  expiresInS: HOUR_S,
  note: '',
  ...change,
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-join-'));
  folders.push(made);
  return made;
}

const options = (token: string, change: Partial<JoinOptions> = {}): JoinOptions => ({
  url: manager.url,
  token,
  dataFolder: folder(),
  roles: ['edge'],
  region: 'eu',
  endpoints: { http: 'http://127.0.0.1:9000', relay: '127.0.0.1:7350' },
  version: '1.2.3',
  ca: undefined,
  allowInsecure: false,
  now: new Date(),
  ...change,
});

const makeToken = async (change: Partial<JoinTokenWish> = {}): Promise<string> => (await manager.tokens.create(wish(change))).token;
const refusal = (code: string, words: RegExp): object => ({ code, message: expect.stringMatching(words) });

/** A call of the API with the admin's key. */
async function api(method: string, path: string, body?: object): Promise<{ status: number; json: Record<string, never> }> {
  const headers = { authorization: 'Bearer sk_admin', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(`${manager.url}/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? {} : JSON.parse(text) };
}

/** The join as it is on the wire. */
async function post(body: object, token: string): Promise<{ status: number; code: string; detail: string }> {
  const headers = { 'content-type': 'application/json', 'x-cluster-token': token };
  const response = await fetch(`${manager.url}/api/v1/cluster/join`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, ...((await response.json()) as { code: string; detail: string }) };
}

beforeEach(async () => {
  manager = await TestManager.start();
});

afterEach(async () => {
  await manager.close();
  for (const made of folders.splice(0)) rmSync(made, { recursive: true });
});

describe('a join', () => {
  it('gives id, certificate, authority and the way to the store, kept where only the owner reads', async () => {
    const given = options(await makeToken());
    const identity = await joinCluster(given);
    expect(identity).toMatchObject({ clusterName: 'test', region: 'eu', roles: ['edge'], coordination: { kind: 'nats', user: 'node' } });
    expect(identity.caPrivateKey).toBeUndefined();
    expect(statSync(identityFile(given.dataFolder)).mode & 0o777).toBe(0o600);
    expect(statSync(join(given.dataFolder, 'cluster')).mode & 0o777).toBe(0o700);
    expect(loadIdentity(given.dataFolder)).toEqual(identity);
    const entry = manager.engine.read(nodeKey(identity.nodeId));
    expect(JSON.parse(Buffer.from(entry!.value).toString())).toMatchObject({
      v: 1,
      id: identity.nodeId,
      status: 'active',
      incarnation: 0,
      version: '1.2.3',
      certificateSerial: certificateOf(identity).serial,
    });
  });

  it('needs no token when the node has joined before', async () => {
    const given = options(await makeToken());
    const identity = await joinCluster(given);
    expect(await joinCluster({ ...given, token: '', url: 'http://127.0.0.1:1' })).toEqual(identity);
  });

  it('sent twice makes one node, and takes one use', async () => {
    const token = await makeToken();
    const body = {
      csr: await createRequest(createNodeKey()),
      roles: ['edge'],
      region: 'eu',
      endpoints: { http: 'http://127.0.0.1:9000' },
      version: '1',
      protocol: CLUSTER_PROTOCOL,
    };
    const answers = (await Promise.all([post(body, token), post(body, token), post(body, token)])) as unknown as {
      nodeId: string;
      status: number;
    }[];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ nodeId }) => nodeId)).size).toBe(1);
    expect(manager.engine.under('nodes/').length).toBe(2);
    expect((await manager.tokens.list())[0]).toMatchObject({ uses: 1, usesMax: 1 });
  });

  it('whose answer was lost goes on with the same key', async () => {
    const given = options(await makeToken());
    const lost = { ...given, url: 'http://127.0.0.1:1' };
    await expect(joinCluster(lost)).rejects.toMatchObject({ code: 'cluster.server-unreachable' });
    const key = readFileSync(join(given.dataFolder, 'cluster', 'joining.pem'), 'utf8');
    expect((await joinCluster(given)).privateKey).toBe(key);
  });

  it('of a manager brings the authority, from which it can sign itself', async () => {
    const identity = await joinCluster(options(await makeToken({ roles: ['manager'] }), { roles: ['manager'] }));
    const authority = await CertificateAuthority.load(identity.ca, identity.caPrivateKey ?? '');
    expect(authority.sha256).toBe(manager.authority.sha256);
  });

  it('gives the last use of a token to one of many', async () => {
    const token = await makeToken({ usesMax: 2 });
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => joinCluster(options(token))));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(2);
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => (reason as { code: string }).code);
    expect(new Set(refused)).toEqual(new Set(['cluster.token-used-up']));
  });
});

describe('a join that is refused', () => {
  it.each<[string, Partial<JoinTokenWish>, Partial<JoinOptions>, string, RegExp]>([
    [
      'another role',
      { roles: ['edge'] },
      { roles: ['edge', 'origin'] },
      'cluster.role-not-allowed',
      /for edge, not for origin: join with another --role/,
    ],
    ['another region', { regions: ['us', 'ap'] }, {}, 'cluster.region-not-allowed', /for us, ap, not for eu: join with another --region/],
    [
      'endpoints that nobody reaches',
      {},
      { endpoints: { http: 'http://0.0.0.0:1' } },
      'cluster.endpoints-wrong',
      /give SCHEME:\/\/HOST:PORT/,
    ],
    [
      'a host that is called like another node',
      {},
      { endpoints: { http: 'http://naaaaaaaaaaaaaaaa:1' } },
      'cluster.endpoints-wrong',
      /give SCHEME:\/\/HOST:PORT/,
    ],
  ])('for %s', async (_title, token, change, code, words) => {
    await expect(joinCluster(options(await makeToken(token), change))).rejects.toMatchObject(refusal(code, words));
    expect(manager.engine.under('nodes/').length).toBe(1);
  });

  it('when the token has expired', async () => {
    const token = await makeToken();
    manager.nowMs += HOUR_S * 1000;
    await expect(joinCluster(options(token))).rejects.toMatchObject(refusal('cluster.token-expired', /expired at .*sluice tokens create/));
  });

  it('when the token is forged, deleted, cut short or of another cluster, told alike', async () => {
    const token = await makeToken();
    const [head, secret, pin] = token.split('.') as [string, string, string];
    const forged = `${head}.${secret.slice(0, -1)}${secret.endsWith('A') ? 'E' : 'A'}.${pin}`;
    await expect(joinCluster(options(forged))).rejects.toMatchObject(refusal('cluster.token-wrong', /no join token is like the one given/));
    await expect(joinCluster(options(`${head}.${secret}`))).rejects.toMatchObject(refusal('cluster.token-wrong', /not whole/));
    const body = {
      csr: await createRequest(createNodeKey()),
      roles: ['edge'],
      region: 'eu',
      endpoints: { http: 'http://a:1' },
      version: '1',
    };
    const other = `${head}.${secret}.${'A'.repeat(43)}`;
    expect(await post(body, other)).toMatchObject({
      status: 401,
      code: 'cluster.token-wrong',
      detail: expect.stringContaining('another cluster'),
    });
    expect(await post(body, 'garbage')).toMatchObject({ status: 401, code: 'cluster.token-wrong' });
    await manager.tokens.remove(head.slice('clt_'.length));
    await expect(joinCluster(options(token))).rejects.toMatchObject({ code: 'cluster.token-wrong' });
  });

  it('for a while after ten wrong tokens of one address, whatever comes then', async () => {
    const token = await makeToken();
    const right = {
      csr: await createRequest(createNodeKey()),
      roles: ['edge'],
      region: 'eu',
      endpoints: { http: 'http://a:1' },
      version: '1',
      protocol: CLUSTER_PROTOCOL,
    };
    for (let attempt = 0; attempt < 10; attempt++) expect((await post(right, 'clt_wrong')).code).toBe('cluster.token-wrong');
    expect(await post(right, token)).toMatchObject({ status: 429, code: 'cluster.too-many-attempts' });
    manager.engine.advance(60_000);
    expect((await post(right, token)).status).toBe(200);
  });

  it('without a token, with a request that is none, or of a protocol that is not spoken', async () => {
    const token = await makeToken();
    const body = {
      csr: await createRequest(createNodeKey()),
      roles: ['edge'],
      region: 'eu',
      endpoints: { http: 'http://a:1' },
      version: '1',
      protocol: CLUSTER_PROTOCOL,
    };
    // Who has no token is told of nothing else.
    for (const any of [body, {}, { ...body, region: '../x' }])
      expect(await post(any, '')).toMatchObject({ status: 401, code: 'cluster.token-missing' });
    expect(await post({}, `${token.slice(0, -1)}.`)).toMatchObject({ status: 401, code: 'cluster.token-wrong' });
    expect(await post({ ...body, csr: 'garbage' }, token)).toMatchObject({ status: 400, code: 'cluster.csr-wrong' });
    expect(await post({ ...body, protocol: undefined }, token)).toMatchObject({ status: 400, code: 'api.bad-request' });
    for (const protocol of [CLUSTER_PROTOCOL - 2, CLUSTER_PROTOCOL + 2])
      expect(await post({ ...body, protocol }, token)).toMatchObject({ status: 409, code: 'cluster.protocol-unsupported' });
    expect(await post({ ...body, region: '../x' }, token)).toMatchObject({ status: 400, code: 'api.bad-request' });
    const der = Buffer.from(body.csr.replace(/-----.*?-----|\s/g, ''), 'base64');
    // The last byte is one of the signature.
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const broken = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    expect(await post({ ...body, csr: broken }, token)).toMatchObject({ status: 400, code: 'cluster.csr-wrong' });
    // One version back or forth works, and fields that are not known do no harm.
    for (const protocol of [CLUSTER_PROTOCOL - 1, CLUSTER_PROTOCOL + 1])
      expect(await post({ ...body, protocol, colour: 'red' }, token)).toMatchObject({ status: 200 });
  });

  it('over plain http to another machine, before anything is sent', async () => {
    const given = options(await makeToken(), { url: 'http://192.0.2.1:8080' });
    await expect(joinCluster(given)).rejects.toMatchObject(refusal('cluster.insecure-url', /--insecure/));
  });

  it('over https by a port that speaks plain http, and the other way round, with what to do', async () => {
    const token = await makeToken();
    const plain = options(token, { url: manager.url.replace('http:', 'https:') });
    await expect(joinCluster(plain)).rejects.toMatchObject(
      refusal('cluster.server-plain-http', /http\.tls in its configuration.*http:\/\/127/),
    );
    await manager.close();
    manager = await TestManager.start({ tls: true });
    await expect(joinCluster(options(token))).rejects.toMatchObject({
      code: expect.stringMatching(/^cluster\.server-(not-http|unreachable)$/),
    });
  });

  it('when the cluster is full, or its store away', async () => {
    const token = await makeToken();
    manager.engine.stop();
    await expect(joinCluster(options(token))).rejects.toMatchObject({ code: 'cluster.store-unavailable' });
    await manager.close();
    manager = await TestManager.start({ nodesMax: 1 });
    await expect(joinCluster(options(await makeToken()))).rejects.toMatchObject({ code: 'cluster.full' });
  });

  it('as a manager, when others can read along', async () => {
    await manager.close();
    manager = await TestManager.start({ isPrivate: false });
    const given = options(await makeToken({ roles: ['manager'] }), { roles: ['manager'] });
    await expect(joinCluster(given)).rejects.toMatchObject(refusal('cluster.tls-needed', /https/));
  });
});

describe('over https', () => {
  beforeEach(async () => {
    await manager.close();
    manager = await TestManager.start({ tls: true });
  });
  const https = (): string => `https://127.0.0.1:${manager.port}`;

  it('the token names whom to trust', async () => {
    const identity = await joinCluster(options(await makeToken(), { url: https() }));
    expect(identity.clusterId).toBe(manager.identity.clusterId);
  });

  it('a server whose authority the token does not name gets nothing', async () => {
    const stranger = await TestManager.start({ tls: true });
    const url = `https://127.0.0.1:${stranger.port}`;
    await expect(joinCluster(options(await makeToken(), { url }))).rejects.toMatchObject(refusal('cluster.server-untrusted', /--ca/));
    await stranger.close();
  });

  it('an authority from a file is trusted, and no other', async () => {
    const other = await CertificateAuthority.create('other', new Date());
    const given = options(await makeToken(), { url: https() });
    await expect(joinCluster({ ...given, ca: other.certificate })).rejects.toMatchObject({ code: 'cluster.server-untrusted' });
    expect(await joinCluster({ ...given, ca: manager.authority.certificate })).toMatchObject({ clusterName: 'test' });
  });

  it('a name that the certificate does not have is refused', async () => {
    const given = options(await makeToken(), { url: `https://127.0.0.2:${manager.port}` });
    await expect(joinCluster(given)).rejects.toMatchObject({ code: 'cluster.server-unreachable' });
  });
});

describe('a node that has joined', () => {
  it('is listed, drained, disabled and removed by the API, and its key cannot join again', async () => {
    const given = options(await makeToken({ usesMax: 2 }));
    const identity = await joinCluster(given);
    await expect.poll(async () => (await api('GET', '/nodes')).json['items']).toHaveLength(2);
    const { items } = (await api('GET', '/nodes?limit=1')).json as unknown as { items: NodeResource[]; nextCursor: string };
    expect(items).toHaveLength(1);
    const path = `/nodes/${identity.nodeId}`;
    expect((await api('GET', path)).json).toMatchObject({ id: identity.nodeId, status: 'active', incarnation: 0, self: false });
    const drained = await api('PATCH', path, { status: 'draining', deadlineS: 300 });
    const deadline = new Date(manager.nowMs + 300_000).toISOString();
    expect(drained).toMatchObject({ status: 200, json: { status: 'draining', drainDeadlineAt: deadline } });
    expect((await api('PATCH', path, { status: 'disabled' })).json).not.toHaveProperty('drainDeadlineAt');
    expect(await api('PATCH', path, { status: 'active', deadlineS: 3 })).toMatchObject({ status: 400, json: { code: 'api.bad-request' } });
    expect(await api('PATCH', path, { status: 'gone' })).toMatchObject({ status: 400 });
    expect(await api('PATCH', '/nodes/none', { status: 'active' })).toMatchObject({
      status: 404,
      json: { code: 'cluster.node-not-found' },
    });
    expect((await api('DELETE', path)).status).toBe(204);
    expect((await api('DELETE', path)).json).toMatchObject({ code: 'cluster.node-not-found' });
    expect(manager.engine.under(REVOKED_PREFIX).map(({ key }) => key)).toEqual([`${REVOKED_PREFIX}${certificateOf(identity).serial}`]);
    await expect.poll(async () => (await api('GET', path)).status).toBe(404);
    rmSync(identityFile(given.dataFolder));
    writeFileSync(join(given.dataFolder, 'cluster', 'joining.pem'), identity.privateKey);
    await expect(joinCluster(given)).rejects.toMatchObject(refusal('cluster.node-removed', /join anew/));
  });

  it('gets a new certificate for the same key, also when two managers are asked', async () => {
    const identity = await joinCluster(options(await makeToken()));
    const { bus, clock } = manager.client;
    const log = pino({ level: 'silent' });
    const end = serveRenewals({ bus, store: manager.calls, authority: manager.authority, clock, log });
    const node = manager.engine.client();
    const renewed = await renewCertificate(node.bus, identity);
    expect(renewed).toMatchObject({ nodeId: identity.nodeId, privateKey: identity.privateKey });
    expect(certificateOf(renewed).serial).not.toBe(certificateOf(identity).serial);
    const stored = JSON.parse(Buffer.from(manager.engine.read(nodeKey(identity.nodeId))!.value).toString());
    expect(stored.certificateSerial).toBe(certificateOf(renewed).serial);
    await api('DELETE', `/nodes/${identity.nodeId}`);
    await expect(renewCertificate(node.bus, renewed)).rejects.toMatchObject({ code: 'cluster.node-not-found' });
    end();
    await expect(renewCertificate(node.bus, renewed)).rejects.toMatchObject({ code: 'cluster.renewal-failed' });
  });

  it('finds its own address towards a manager', async () => {
    expect(await ownAddressTowards(manager.url)).toBe('127.0.0.1');
    await expect(ownAddressTowards('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'cluster.server-unreachable' });
  });
});

describe('join tokens', () => {
  it('are made, listed in pages without their secret, and deleted by admins alone', async () => {
    const made = await api('POST', '/cluster/tokens', { roles: ['edge'], note: 'for the studio' });
    expect(made).toMatchObject({ status: 201, json: { usesMax: 1, uses: 0, regions: [], note: 'for the studio' } });
    expect(made.json['token']).toMatch(/^clt_[0-9a-f]{16}\.[\w-]{43}\.[\w-]{43}$/);
    await api('POST', '/cluster/tokens', {});
    const { json } = await api('GET', '/cluster/tokens?limit=1');
    expect(json['items']).toHaveLength(1);
    expect((await api('GET', `/cluster/tokens?cursor=${json['nextCursor']}`)).json['items']).toHaveLength(1);
    expect(JSON.stringify(json)).not.toContain('clt_');
    const secret = String(made.json['token']).split('.')[1];
    for (const { value } of manager.engine.under('tokens/')) expect(Buffer.from(value).toString()).not.toContain(secret);
    expect((await fetch(`${manager.url}/api/v1/cluster/tokens`)).status).toBe(401);
    expect((await api('POST', '/cluster/tokens', { roles: ['king'] })).status).toBe(400);
    expect((await api('DELETE', `/cluster/tokens/${made.json['id']}`)).status).toBe(204);
    expect(await api('DELETE', `/cluster/tokens/${made.json['id']}`)).toMatchObject({
      status: 404,
      json: { code: 'cluster.token-not-found' },
    });
  });
});
