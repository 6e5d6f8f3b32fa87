import type pino from 'pino';
import { type Bus, decodeNodeRecord, decodeVersioned, encodeNodeRecord, encodeVersioned, nodeKey, readText } from '../../cluster/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import type { Clock } from '../clock.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { endpointHosts } from './endpoint-hosts.ts';
import { certificateOf, identityOf, type NodeIdentity } from './node-identity.ts';
import { createRequest, readRequest } from './node-key.ts';
import type { StoreCalls } from './store-calls.ts';

const SUBJECT = 'cluster/renew';
const TIMEOUT_MS = 10_000;
const RENEW_BEFORE_MS = 60 * 86_400_000;
const PEM_LENGTH_MAX = 16_384;

/** Whether it is time to renew a node's certificate: two months before it ends. */
export const isRenewalDue = (identity: NodeIdentity, nowWallMs: number): boolean =>
  certificateOf(identity).notAfterMs - nowWallMs < RENEW_BEFORE_MS;

export interface RenewalServerOptions {
  readonly bus: Bus;
  readonly store: StoreCalls;
  readonly authority: CertificateAuthority;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/**
 * Renews the certificates of members, for whoever is on the bus; on managers. A request is signed with the node's key, and a certificate is of use to the
 * owner of that key alone: nothing else has to be proved. Returns a function that ends it.
 */
export function serveRenewals(options: RenewalServerOptions): () => void {
  return options.bus.serve(SUBJECT, (message, reply) => {
    renew(message, options).then(
      (certificate) => reply(encodeVersioned({ v: 1, certificate })),
      (error: Error) => {
        const code = error instanceof SluiceError ? error.code : 'cluster.renewal-failed';
        options.log.warn({ code, detail: error.message }, 'a certificate was not renewed');
        reply(encodeVersioned({ v: 1, code, message: error.message }));
      },
    );
  });
}

async function renew(message: Uint8Array, { store, authority, clock, log }: RenewalServerOptions): Promise<string> {
  const key = await readRequest(readText(decodeVersioned(message)?.['csr'], PEM_LENGTH_MAX) ?? '');
  const entry = await store.get(nodeKey(key.nodeId));
  const record = entry === undefined ? undefined : decodeNodeRecord(entry.value);
  if (record === undefined || record.keySha256 !== key.sha256)
    throw new SluiceError(
      'cluster.node-not-found',
      `${key.nodeId} is no member of this cluster: it cannot have a new certificate; join again`,
    );
  const subject = { nodeId: key.nodeId, spki: key.spki, hosts: endpointHosts(record.endpoints) };
  const { certificate, serial } = await authority.issue(subject, new Date(clock.wall()));
  await store.change(nodeKey(key.nodeId), (value) => {
    const latest = value === undefined ? undefined : decodeNodeRecord(value);
    return latest === undefined ? value : encodeNodeRecord({ ...latest, certificateSerial: serial });
  });
  log.info({ code: 'cluster.certificate-renewed', node: key.nodeId, serial }, 'a certificate was renewed');
  return certificate;
}

/** Asks a manager for a new certificate for the same key. The caller keeps the identity and uses it. Throws `SluiceError`. */
export async function renewCertificate(bus: Bus, identity: NodeIdentity): Promise<NodeIdentity> {
  const csr = await createRequest(identity.privateKey);
  const answer = await new Promise<Uint8Array>((resolve, reject) => {
    bus.request(SUBJECT, encodeVersioned({ v: 1, csr }), TIMEOUT_MS, (reply) => {
      if (reply.ok) resolve(reply.value);
      else reject(new SluiceError('cluster.renewal-failed', `no manager renewed the certificate (${reply.failure}): it is tried again`));
    });
  });
  const fields = decodeVersioned(answer);
  const certificate = readText(fields?.['certificate'], PEM_LENGTH_MAX);
  if (certificate === undefined) {
    const message = readText(fields?.['message'], 1000) ?? 'the answer cannot be read';
    throw new SluiceError(readText(fields?.['code'], 100) ?? 'cluster.renewal-failed', message);
  }
  const { nodeId, clusterId, clusterName, ca, caPrivateKey, coordination, privateKey, roles, region, endpoints, joinedAtMs } = identity;
  const kept = {
    nodeId,
    clusterId,
    clusterName,
    certificate,
    ca,
    coordination,
    ...(caPrivateKey === undefined ? {} : { caPrivateKey }),
  };
  return identityOf(kept, { privateKey, roles, region, endpoints, joinedAtMs });
}
