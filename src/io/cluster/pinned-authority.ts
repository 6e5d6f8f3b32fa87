import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { SluiceError } from '../../core/mod.ts';
import { sha256Hex, spkiOf } from './node-key.ts';

const TIMEOUT_MS = 10_000;
const CHAIN_MAX = 8;

/**
 * Fetches the authority's certificate (PEM) from the chain that a server shows, if its public key has the given hash (hexadecimal); undefined if none has.
 * Nothing is sent to the server: the caller connects anew, with that authority as the only one that it trusts.
 */
export function fetchPinnedAuthority(url: URL, sha256: string): Promise<string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const port = url.port === '' ? 443 : Number(url.port);
    const name = isIP(host) === 0 ? { servername: host } : {};
    // The chain is looked at, not trusted: the hash of the key decides.
    const socket = connect({ host, port, rejectUnauthorized: false, ...name });
    const fail = (cause: Error): void => {
      socket.destroy();
      reject(new SluiceError('cluster.server-unreachable', `${url.origin} cannot be asked: ${cause.message}`, { cause }));
    };
    socket.setTimeout(TIMEOUT_MS, () => fail(new Error('no answer in time')));
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      const found = authorityIn(socket.getPeerX509Certificate(), sha256);
      socket.destroy();
      resolve(found);
    });
  });
}

function authorityIn(leaf: X509Certificate | undefined, sha256: string): string | undefined {
  let certificate = leaf;
  for (let depth = 0; depth < CHAIN_MAX && certificate !== undefined; depth++) {
    if (certificate.ca && sha256Hex(spkiOf(certificate.publicKey)) === sha256) return certificate.toString();
    certificate = certificate.issuerCertificate;
  }
  return undefined;
}
