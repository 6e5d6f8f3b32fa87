import type { PeerCertificate } from 'node:tls';
import type { RelayUpstream } from './relay-pull.ts';

/** Why the certificate is not that of the node that was to be reached; undefined: it is. */
export function identityError(upstream: RelayUpstream, certificate: PeerCertificate): Error | undefined {
  const { CN } = certificate.subject;
  if (CN !== upstream.node)
    return new Error(`${upstream.host}:${upstream.port} has the certificate of node ${JSON.stringify(CN)}, not ${upstream.node}`);
  if (upstream.fingerprint !== undefined && certificate.fingerprint256 !== upstream.fingerprint) {
    return new Error(`node ${upstream.node} has another certificate than the one that was expected`);
  }
  return undefined;
}
