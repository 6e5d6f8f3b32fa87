import { createHmac, timingSafeEqual } from 'node:crypto';

const TEXT_LENGTH_MAX = 512;

/** A text that says something under an HMAC-SHA-256 by the first of the secrets: whoever has that can tell it from a forged one. It hides nothing. */
export function signedText(fields: Readonly<Record<string, unknown>>, secrets: readonly Uint8Array[]): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('there is no secret to sign with');
  const body = Buffer.from(JSON.stringify(fields)).toString('base64url');
  return `${body}.${sign(body, secret).toString('base64url')}`;
}

/** What a text says that any of the secrets has signed; undefined for every other. Its fields are to be looked at: all kinds of texts have the same secrets. */
export function readSigned(text: string | undefined, secrets: readonly Uint8Array[]): Readonly<Record<string, unknown>> | undefined {
  const dot = text?.indexOf('.') ?? -1;
  if (text === undefined || dot < 0 || text.length > TEXT_LENGTH_MAX) return undefined;
  const body = text.slice(0, dot);
  const signature = Buffer.from(text.slice(dot + 1), 'base64url');
  if (!secrets.some((secret) => isSame(sign(body, secret), signature))) return undefined;
  try {
    return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const sign = (body: string, secret: Uint8Array): Buffer => createHmac('sha256', secret).update(body).digest();
const isSame = (left: Buffer, right: Buffer): boolean => left.length === right.length && timingSafeEqual(left, right);
