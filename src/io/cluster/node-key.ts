import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { SluiceError } from '../../core/mod.ts';
import { type LibraryKeys, x509 } from './x509.ts';

/** ECDSA on P-256 with SHA-256: what every TLS stack has, and small. */
export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A new private key as PKCS #8 PEM. */
export const createNodeKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** A certificate request for a private key (PEM), signed with it. What the certificate says is up to the authority. */
export async function createRequest(privateKeyPem: string): Promise<string> {
  const { Pkcs10CertificateRequestGenerator } = await x509();
  const keys = await cryptoKeys(privateKeyPem);
  return (await Pkcs10CertificateRequestGenerator.create({ name: 'CN=node', keys, signingAlgorithm: KEY_ALGORITHM })).toString('pem');
}

/** A key that has shown in a certificate request that its private half is the sender's. */
export interface RequestedKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
  readonly nodeId: string;
  /** SHA-256 of `spki` in hexadecimal. */
  readonly sha256: string;
}

/** Reads and checks a certificate request; throws `SluiceError` with `cluster.csr-wrong`. */
export async function readRequest(pem: string): Promise<RequestedKey> {
  const { Pkcs10CertificateRequest } = await x509();
  let spki: Buffer;
  let isSigned: boolean;
  try {
    const request = new Pkcs10CertificateRequest(pem);
    spki = Buffer.from(request.publicKey.rawData);
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('its key is not ECDSA on P-256');
    isSigned = await request.verify();
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isSigned) throw wrong('it is not signed with the key that it names');
  return { spki, nodeId: nodeIdOf(spki), sha256: sha256Hex(spki) };
}

const wrong = (why: string, cause?: unknown): SluiceError =>
  new SluiceError('cluster.csr-wrong', `the certificate request cannot be used: ${why}; send PKCS #10 in PEM for a P-256 key`, { cause });

export const sha256Hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** SubjectPublicKeyInfo (DER) of a certificate or a private key (PEM). */
export const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' }) as Buffer;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const ID_CHARACTERS = 16;

/** The id of the node with this public key: 80 bits of its hash, so that nobody finds another key with the same id. */
export function nodeIdOf(spki: Uint8Array): string {
  const hash = createHash('sha256').update(spki).digest();
  let bits = BigInt(`0x${hash.subarray(0, 10).toString('hex')}`);
  let id = '';
  for (let at = 0; at < ID_CHARACTERS; at++) {
    id = (ALPHABET[Number(bits & 31n)] ?? '') + id;
    bits >>= 5n;
  }
  return `n${id}`;
}

/** The id of the node with this private key (PEM). */
export const nodeIdOfPrivateKey = (privateKeyPem: string): string => nodeIdOf(spkiOf(createPublicKey(privateKeyPem)));

/** Both halves of a private key (PKCS #8, PEM) as the library takes them. */
export async function cryptoKeys(privateKeyPem: string): Promise<LibraryKeys> {
  const key = createPrivateKey(privateKeyPem);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const privateKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, KEY_ALGORITHM, false, ['sign']);
  return { privateKey, publicKey: await publicCryptoKey(spkiOf(createPublicKey(key))) } as unknown as LibraryKeys;
}

/** A public key (SubjectPublicKeyInfo, DER) as the library takes it. */
export async function publicCryptoKey(spki: Uint8Array): Promise<LibraryKeys['publicKey']> {
  return (await webcrypto.subtle.importKey('spki', new Uint8Array(spki), KEY_ALGORITHM, true, [
    'verify',
  ])) as unknown as LibraryKeys['publicKey'];
}
