import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLUSTER_PROTOCOL } from '../../cluster/mod.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { isRenewalDue } from './certificate-renewal.ts';
import { endpointHosts } from './endpoint-hosts.ts';
import { certificateOf, foundCluster, identityFile, loadIdentity, type NodeIdentity, saveIdentity } from './node-identity.ts';
import { createNodeKey, createRequest, nodeIdOfPrivateKey, readRequest } from './node-key.ts';
import { ownNodeOf } from './own-node.ts';

const DAY_MS = 86_400_000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-ca-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const found = (http = 'http://edge.test:8080'): Promise<NodeIdentity> =>
  foundCluster(
    {
      clusterName: 'Tést, O=x',
      roles: ['manager'],
      region: 'eu',
      endpoints: { http, relay: '[2001:db8::7]:7350' },
      coordination: { kind: 'embedded', folder: '/x' },
    },
    new Date(),
  );

async function member(authority: CertificateAuthority): Promise<{ cert: string; key: string; nodeId: string }> {
  const key = createNodeKey();
  const { nodeId, spki } = await readRequest(await createRequest(key));
  return { cert: (await authority.issue({ nodeId, spki, hosts: ['10.0.0.1'] }, new Date())).certificate, key, nodeId };
}

describe('a certificate', () => {
  it('is what OpenSSL takes for a node of this authority', async () => {
    const identity = await found();
    writeFileSync(join(folder, 'ca.pem'), identity.ca);
    writeFileSync(join(folder, 'node.pem'), identity.certificate);
    const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    for (const purpose of ['sslserver', 'sslclient']) {
      expect(
        openssl('verify', '-x509_strict', '-purpose', purpose, '-verify_hostname', 'edge.test', '-CAfile', 'ca.pem', 'node.pem'),
      ).toContain('OK');
    }
    expect(() => openssl('verify', '-verify_hostname', 'other.test', '-CAfile', 'ca.pem', 'node.pem')).toThrow();
    const text = openssl('x509', '-in', 'node.pem', '-noout', '-text');
    expect(text).toContain(`CN = ${identity.nodeId}`);
    expect(text).toContain('CA:FALSE');
    expect(text).toMatch(
      new RegExp(`DNS:${identity.nodeId}, DNS:localhost, DNS:edge.test, IP Address:2001:DB8:0:0:0:0:0:7, IP Address:127.0.0.1`),
    );
    expect(openssl('x509', '-in', 'ca.pem', '-noout', '-text')).toContain('CA:TRUE, pathlen:0');
  });

  it('lets two nodes prove to each other who they are, by id, and nobody else', async () => {
    const authority = await CertificateAuthority.create('one', new Date());
    const [server, client] = [await member(authority), await member(authority)];
    const stranger = await member(await CertificateAuthority.create('one', new Date()));
    const listener = createServer({
      cert: server.cert,
      key: server.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const peers: string[] = [];
    listener.on('secureConnection', (socket: TLSSocket) => {
      peers.push(String(socket.getPeerCertificate().subject.CN));
      socket.end('welcome');
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const dial = (own: { cert: string; key: string }, servername: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', servername, ca: authority.certificate, cert: own.cert, key: own.key });
        socket.on('data', (data) => resolve(String(data)));
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        socket.on('close', () => resolve('closed'));
      });
    expect(await dial(client, server.nodeId)).toBe('welcome');
    expect(peers).toEqual([client.nodeId]);
    expect(await dial(client, client.nodeId)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await dial(stranger, server.nodeId)).not.toBe('welcome');
    listener.close();
  });

  it('has a serial of its own, holds for a year, and for clocks that are behind', async () => {
    const authority = await CertificateAuthority.create('one', new Date());
    const certificates = await Promise.all(Array.from({ length: 20 }, () => member(authority)));
    const read = certificates.map(({ cert }) => new X509Certificate(cert));
    expect(new Set(read.map(({ serialNumber }) => serialNumber)).size).toBe(20);
    expect(Date.parse(read[0]!.validFrom)).toBeLessThan(Date.now() - DAY_MS + 60_000);
    expect(Math.abs(Date.parse(read[0]!.validTo) - Date.now() - 365 * DAY_MS)).toBeLessThan(60_000);
  });

  it('is signed only for a request that shows its key, of the one kind', async () => {
    for (const request of ['', 'garbage', (await createRequest(createNodeKey())).slice(40)])
      await expect(readRequest(request)).rejects.toMatchObject({ code: 'cluster.csr-wrong', message: expect.stringContaining('P-256') });
    execFileSync('openssl', ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=x', '-out', 'rsa.csr'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const rsa = execFileSync('cat', [join(folder, 'rsa.csr')], { encoding: 'utf8' });
    await expect(readRequest(rsa)).rejects.toMatchObject({ code: 'cluster.csr-wrong' });
  });
});

describe('an authority', () => {
  it('is not loaded with another key', async () => {
    const [one, two] = [await CertificateAuthority.create('a', new Date()), await CertificateAuthority.create('a', new Date())];
    expect(one.sha256).not.toBe(two.sha256);
    await expect(CertificateAuthority.load(one.certificate, two.privateKey)).rejects.toMatchObject({ code: 'cluster.ca-wrong' });
    expect((await CertificateAuthority.load(one.certificate, one.privateKey)).sha256).toBe(one.sha256);
  });
});

describe('an identity', () => {
  it('is kept whole, and only its owner reads it', async () => {
    const identity = await found();
    expect(loadIdentity(folder)).toBeUndefined();
    saveIdentity(folder, identity);
    expect(loadIdentity(folder)).toEqual(identity);
    expect(statSync(identityFile(folder)).mode & 0o777).toBe(0o600);
    expect(nodeIdOfPrivateKey(identity.privateKey)).toBe(identity.nodeId);
    expect(identity.nodeId).toMatch(/^n[a-z2-7]{16}$/);
    expect(ownNodeOf(identity, '1.0')).toMatchObject({
      id: identity.nodeId,
      certificateSerial: certificateOf(identity).serial,
      protocol: CLUSTER_PROTOCOL,
    });
  });

  it('is renewed two months before its certificate ends', async () => {
    const identity = await found();
    expect(isRenewalDue(identity, Date.now() + 300 * DAY_MS)).toBe(false);
    expect(isRenewalDue(identity, Date.now() + 306 * DAY_MS)).toBe(true);
  });

  it.each<[string, (identity: NodeIdentity, other: NodeIdentity) => string]>([
    ['no JSON', () => 'garbage'],
    ['null', () => 'null'],
    ['something missing', ({ region: _region, ...rest }) => JSON.stringify(rest)],
    ['the key of another node', (identity, { privateKey }) => JSON.stringify({ ...identity, privateKey })],
    ['another authority', (identity, { ca }) => JSON.stringify({ ...identity, ca })],
    ['another id', (identity, { nodeId }) => JSON.stringify({ ...identity, nodeId })],
    ['a broken certificate', (identity) => JSON.stringify({ ...identity, certificate: 'x' })],
  ])('with %s is said to be damaged, and left as it is', async (_title, spoil) => {
    const identity = await found();
    saveIdentity(folder, identity);
    const text = spoil(identity, await found());
    writeFileSync(identityFile(folder), text);
    expect(() => loadIdentity(folder)).toThrow(expect.objectContaining({ code: 'cluster.identity-unreadable' }));
    expect(execFileSync('cat', [identityFile(folder)], { encoding: 'utf8' })).toBe(text);
  });

  it('that cannot be written is an error that names the file', async () => {
    const identity = await found();
    writeFileSync(join(folder, 'cluster'), 'a file, not a folder');
    chmodSync(join(folder, 'cluster'), 0o600);
    expect(() => saveIdentity(folder, identity)).toThrow(expect.objectContaining({ code: 'cluster.identity-unwritable' }));
  });
});

describe('endpoints', () => {
  it.each([
    'http://',
    'edge:8080',
    'http://0.0.0.0:80',
    'http://[::]:80',
    'http://user@host:1',
    'http://host:1/path',
    'http://host:1?x=1',
    'http://ho st',
  ])('do not include %s', (http) => {
    expect(() => endpointHosts({ http })).toThrow(expect.objectContaining({ code: 'cluster.endpoints-wrong' }));
  });

  it('tell their hosts, each once', () => {
    const endpoints = { http: 'https://a.test:8080', rtmp: 'rtmp://a.test:1935', relay: '[::1]:7350' };
    expect(endpointHosts(endpoints)).toEqual(['a.test', '::1']);
  });
});
