import { decodeVersioned, encodeVersioned, isName, readAmount, readText } from '../core/mod.ts';

/** Says that the sessions which a key or token let in are to end, under `withdrawn/ID`. */
export interface Withdrawal {
  readonly v: 1;
  /** See {@link keyCredential} and {@link tokenCredential}. */
  readonly id: string;
  readonly app: string;
  readonly withdrawnAtMs: number;
  /** From then on it is of no use: no session is that old that nobody has told to end. */
  readonly expiresAtMs: number;
}

export const WITHDRAWALS_PREFIX = 'withdrawn/';
export const withdrawalKey = (id: string): string => `${WITHDRAWALS_PREFIX}${id}`;

/** What let a session in: a stream key, by its id. */
export const keyCredential = (id: string): string => `key.${id}`;
/** A token that can be revoked, by the beginning of the id of its revocation: parts of keys are no longer than 64 characters. */
export const tokenCredential = (revokedTokenId: string): string => `token.${revokedTokenId.slice(0, 48)}`;

export const encodeWithdrawal = (record: Withdrawal): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what is none. */
export function decodeWithdrawal(bytes: Uint8Array): Withdrawal | undefined {
  const fields = decodeVersioned(bytes);
  const id = readText(fields?.['id'], 80);
  const app = readText(fields?.['app'], 64);
  if (fields === undefined || id === undefined || app === undefined || !isName(app)) return undefined;
  const [withdrawnAtMs, expiresAtMs] = [readAmount(fields['withdrawnAtMs']) ?? 0, readAmount(fields['expiresAtMs']) ?? 0];
  return { v: 1, id, app, withdrawnAtMs, expiresAtMs };
}

/** The sessions of this node that a key or token let in, so that they can be ended by it. As many as there are sessions. */
export class AdmittedSessions {
  private readonly isEnded: (credential: string) => boolean;
  private readonly byCredential = new Map<string, Set<() => void>>();

  /** `isEnded`: whether nobody may be in by it any more. */
  constructor(isEnded: (credential: string) => boolean) {
    this.isEnded = isEnded;
  }

  /** A session began; undefined: nothing that could be ended let it in. Returns what is to be called when it is over. `end` may come at once. */
  begin(credential: string | undefined, end: () => void): () => void {
    if (credential === undefined) return () => undefined;
    if (this.isEnded(credential)) {
      end();
      return () => undefined;
    }
    const sessions = this.byCredential.get(credential) ?? new Set();
    this.byCredential.set(credential, sessions);
    // Two sessions may have the same function.
    const own = (): void => end();
    sessions.add(own);
    return () => {
      sessions.delete(own);
      if (sessions.size === 0 && this.byCredential.get(credential) === sessions) this.byCredential.delete(credential);
    };
  }

  /** Ends all that the key or token let in; returns how many there were. */
  end(credential: string): number {
    const sessions = [...(this.byCredential.get(credential) ?? [])];
    this.byCredential.delete(credential);
    for (const end of sessions) end();
    return sessions.length;
  }
}
