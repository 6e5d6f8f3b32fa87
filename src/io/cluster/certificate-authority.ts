import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { JsonGeneralName, X509Certificate as LibraryCertificate } from '@peculiar/x509';
import { SluiceError } from '../../core/mod.ts';
import { createNodeKey, cryptoKeys, KEY_ALGORITHM, publicCryptoKey, sha256Hex, spkiOf } from './node-key.ts';
import { type LibraryKeys, x509 } from './x509.ts';

const DAY_MS = 86_400_000;
const AUTHORITY_YEARS = 20;
/** How long a node's certificate holds. */
export const CERTIFICATE_DAYS = 365;
/** Certificates hold from a day ago on, for nodes whose clocks are behind. */
const BACKDATED_MS = DAY_MS;

export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** Hexadecimal, as `X509Certificate.serialNumber` of node:crypto but in lower case. */
  readonly serial: string;
  readonly notAfterMs: number;
}

export interface CertificateSubject {
  readonly nodeId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Names and IP addresses under which the node is reached. */
  readonly hosts: readonly string[];
}

/** The cluster's own certificate authority, with its private key: on managers. */
export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  /** SHA-256 of the public key (SubjectPublicKeyInfo) in hexadecimal. */
  readonly sha256: string;
  private readonly issuer: LibraryCertificate;
  private readonly keys: LibraryKeys;

  private constructor(certificate: string, privateKey: string, issuer: LibraryCertificate, keys: LibraryKeys) {
    this.certificate = certificate;
    this.privateKey = privateKey;
    this.issuer = issuer;
    this.keys = keys;
    this.sha256 = caSha256(certificate);
  }

  /** Makes an authority with a new key, for 20 years. */
  static async create(clusterName: string, now: Date): Promise<CertificateAuthority> {
    const library = await x509();
    const privateKey = createNodeKey();
    const keys = await cryptoKeys(privateKey);
    const issuer = await library.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerial(),
      // Attribute by attribute, so that nothing in the name is taken for more than the name.
      name: [{ CN: [`Sluice cluster ${clusterName}`] }],
      notBefore: new Date(now.getTime() - BACKDATED_MS),
      notAfter: new Date(now.getTime() + AUTHORITY_YEARS * 365 * DAY_MS),
      signingAlgorithm: KEY_ALGORITHM,
      keys,
      extensions: [
        new library.BasicConstraintsExtension(true, 0, true),
        new library.KeyUsagesExtension(library.KeyUsageFlags.keyCertSign | library.KeyUsageFlags.cRLSign, true),
        await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(pemText(issuer.toString('pem')), privateKey, issuer, keys);
  }

  /** From what is kept; throws `SluiceError` with `cluster.ca-wrong` when key and certificate do not belong together. */
  static async load(certificate: string, privateKey: string): Promise<CertificateAuthority> {
    try {
      if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey)))
        throw new Error('the key is of another certificate');
      const library = await x509();
      return new CertificateAuthority(certificate, privateKey, new library.X509Certificate(certificate), await cryptoKeys(privateKey));
    } catch (cause) {
      throw new SluiceError('cluster.ca-wrong', `the cluster's certificate authority cannot be used: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** A certificate for a node, for a year, for both ends of TLS: CN and a DNS name are its id; its hosts and loopback stand beside them. */
  async issue({ nodeId, spki, hosts }: CertificateSubject, now: Date): Promise<IssuedCertificate> {
    const library = await x509();
    const publicKey = await publicCryptoKey(spki);
    const serial = newSerial();
    const notAfter = new Date(now.getTime() + CERTIFICATE_DAYS * DAY_MS);
    const { clientAuth, serverAuth } = library.ExtendedKeyUsage;
    const certificate = await library.X509CertificateGenerator.create({
      serialNumber: serial,
      subject: [{ CN: [nodeId] }],
      issuer: this.issuer.subjectName.toJSON(),
      notBefore: new Date(now.getTime() - BACKDATED_MS),
      notAfter,
      signingKey: this.keys.privateKey,
      signingAlgorithm: KEY_ALGORITHM,
      publicKey,
      extensions: [
        new library.BasicConstraintsExtension(false, undefined, true),
        new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
        new library.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
        new library.SubjectAlternativeNameExtension(alternativeNames(nodeId, hosts)),
        await library.AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
      ],
    });
    return { certificate: pemText(certificate.toString('pem')), serial, notAfterMs: notAfter.getTime() };
  }
}

/** SHA-256 of the public key of a certificate (PEM), in hexadecimal. */
export const caSha256 = (certificate: string): string => sha256Hex(spkiOf(createPublicKey(certificate)));

function alternativeNames(nodeId: string, hosts: readonly string[]): JsonGeneralName[] {
  const all = new Set([nodeId, 'localhost', ...hosts, '127.0.0.1', '::1']);
  return [...all].map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }));
}

/** 127 random bits, positive and without leading zero bytes: serials have one spelling. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

const pemText = (pem: string): string => (pem.endsWith('\n') ? pem : `${pem}\n`);
