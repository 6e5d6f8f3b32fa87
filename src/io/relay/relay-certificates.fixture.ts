import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { RelayTls } from './relay-pull.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALID = { notBefore: new Date('2020-01-01'), notAfter: new Date('2120-01-01') };

const generate = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;

/** A certificate authority for tests. */
export class TestCa {
  private readonly keys: CryptoKeyPair;
  private readonly certificate: x509.X509Certificate;
  private serial = 1;

  private constructor(keys: CryptoKeyPair, certificate: x509.X509Certificate) {
    this.keys = keys;
    this.certificate = certificate;
  }

  static async make(name = 'CN=test cluster'): Promise<TestCa> {
    const keys = await generate();
    const extensions = [new x509.BasicConstraintsExtension(true, 1, true)];
    const options = { serialNumber: '01', name, ...VALID, signingAlgorithm: ALGORITHM, keys, extensions };
    return new TestCa(keys, await x509.X509CertificateGenerator.createSelfSigned(options));
  }

  async issue(node: string): Promise<RelayTls> {
    const keys = await generate();
    this.serial++;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: this.serial.toString(16).padStart(2, '0'),
      subject: `CN=${node}`,
      issuer: this.certificate.subject,
      ...VALID,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
    });
    const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
    return { key, cert: certificate.toString('pem'), ca: this.certificate.toString('pem') };
  }
}
