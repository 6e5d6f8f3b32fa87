import type { Store } from './store.ts';
import { decodeVersioned, encodeVersioned, readAmount, readText } from './versioned-json.ts';

/** A node that was removed: under `cluster/revoked/SERIAL` of the certificate it had last. */
export interface Revocation {
  readonly v: 1;
  readonly node: string;
  readonly serial: string;
  readonly revokedAtMs: number;
  /** When the certificate lapses by itself; the entry is of no use after it. */
  readonly notAfterMs: number;
}

export const REVOKED_PREFIX = 'cluster/revoked/';
export const revokedKey = (serial: string): string => `${REVOKED_PREFIX}${serial}`;
export const encodeRevocation = (revocation: Revocation): Uint8Array => encodeVersioned(revocation);

/** Reads borrowed bytes; undefined for what is no revocation. */
export function decodeRevocation(bytes: Uint8Array): Revocation | undefined {
  const fields = decodeVersioned(bytes);
  const node = readText(fields?.['node'], 64);
  const serial = readText(fields?.['serial'], 64);
  if (node === undefined || serial === undefined) return undefined;
  return { v: 1, node, serial, revokedAtMs: readAmount(fields?.['revokedAtMs']) ?? 0, notAfterMs: readAmount(fields?.['notAfterMs']) ?? 0 };
}

const REVOCATIONS_MAX = 100_000;

/**
 * The replica of the revoked certificates. Ids are never used again, so a node that is on the list is out with every certificate that it ever had.
 * Past 100,000 entries the oldest known is forgotten.
 */
export class Revocations {
  private readonly byKey = new Map<string, Revocation>();
  private readonly nodes = new Map<string, number>();
  private told: Set<string> | undefined;
  private readonly revoked: (revocation: Revocation) => void;
  private readonly end: () => void;

  /** `revoked` is told each entry that was not known, so that open connections of that node can be closed. */
  constructor(store: Store, revoked: (revocation: Revocation) => void) {
    this.revoked = revoked;
    this.end = store.watch(REVOKED_PREFIX, {
      changed: ({ key, value }) => this.changed(key, decodeRevocation(value)),
      deleted: (key) => this.forget(key),
      current: () => this.current(),
      lost: () => {
        this.told = new Set();
      },
    });
  }

  /** Whether a peer's certificate counts no more. */
  has(node: string, serial: string): boolean {
    return this.nodes.has(node) || this.byKey.has(revokedKey(serial));
  }

  close(): void {
    this.end();
  }

  private changed(key: string, revocation: Revocation | undefined): void {
    this.told?.add(key);
    if (revocation === undefined || this.byKey.has(key)) return;
    this.byKey.set(key, revocation);
    this.nodes.set(revocation.node, (this.nodes.get(revocation.node) ?? 0) + 1);
    if (this.byKey.size > REVOCATIONS_MAX) {
      for (const oldest of this.byKey.keys()) {
        this.forget(oldest);
        break;
      }
    }
    this.revoked(revocation);
  }

  private forget(key: string): void {
    const known = this.byKey.get(key);
    if (known === undefined) return;
    this.byKey.delete(key);
    const left = (this.nodes.get(known.node) ?? 1) - 1;
    if (left === 0) this.nodes.delete(known.node);
    else this.nodes.set(known.node, left);
  }

  private current(): void {
    const { told } = this;
    this.told = undefined;
    if (told === undefined) return;
    for (const key of [...this.byKey.keys()]) if (!told.has(key)) this.forget(key);
  }
}
