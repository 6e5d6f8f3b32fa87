import { durationMs, type MonotonicMs, type StreamRef } from '../core/mod.ts';
import { AttemptLimit, type AttemptLimitOptions } from './attempt-limit.ts';
import type { PublishCredential, PublishDecision, PublishPolicy } from './publish-policy.ts';

/** One app and who may publish into it. */
export interface AppAccess {
  readonly name: string;
  /** Any of these lets a publisher in. Without any, only loopback gets in, and only where it may. */
  readonly keys: readonly string[];
  /** Whether a publisher on this machine needs no key; one that it shows all the same has to be right. */
  readonly publishFromLoopback: boolean;
}

/** What the policy needs from outside. */
export interface AccessPorts {
  /** SHA-256 of the text's UTF-8 bytes. */
  sha256(text: string): Uint8Array;
  now(): MonotonicMs;
}

/** Ten wrong keys at once and one more each six seconds: a person's typing errors pass, guessing does not get anywhere. */
const ATTEMPTS: AttemptLimitOptions = { attemptsMax: 10, refillMs: durationMs(6_000), addressesMax: 10_000 };
/** Longer keys than any that can be configured are not worth a digest. */
const KEY_LENGTH_MAX = 1_024;

interface App {
  readonly publishFromLoopback: boolean;
  readonly digests: readonly Uint8Array[];
}

/** Apps and keys from the configuration. Keys are kept and compared as digests, so that neither length nor prefix shows in the time taken. */
export class StaticAccess implements PublishPolicy {
  private readonly ports: AccessPorts;
  private readonly apps: ReadonlyMap<string, App>;
  private readonly limit: AttemptLimit;

  constructor(apps: readonly AppAccess[], ports: AccessPorts, attempts: AttemptLimitOptions = ATTEMPTS) {
    this.ports = ports;
    this.limit = new AttemptLimit(attempts);
    this.apps = new Map(
      apps.map((app) => [app.name, { publishFromLoopback: app.publishFromLoopback, digests: app.keys.map((key) => ports.sha256(key)) }]),
    );
  }

  mayPublish(ref: StreamRef, credential: PublishCredential, address: string): PublishDecision {
    const app = this.apps.get(ref.app);
    if (app === undefined) return { refused: 'app-unknown' };
    const { key } = credential;
    if (key === undefined || key === '') {
      return app.publishFromLoopback && isLoopback(address) ? 'allowed' : { refused: 'key-missing' };
    }
    // A key that is shown has to be right, from loopback too: a typing error should be seen where it is made.
    const now = this.ports.now();
    // Before the comparison: an address that guesses must not learn that it guessed right.
    if (this.limit.isExhausted(address, now)) return { refused: 'too-many-attempts' };
    if (key.length <= KEY_LENGTH_MAX && this.isKeyOf(app, key)) return 'allowed';
    this.limit.noteWrong(address, now);
    return { refused: 'key-wrong' };
  }

  private isKeyOf(app: App, key: string): boolean {
    const digest = this.ports.sha256(key);
    let matches = 0;
    for (const known of app.digests) matches |= isEqual(known, digest) ? 1 : 0;
    return matches === 1;
  }
}

/** Takes the same time wherever the first difference is. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

function isLoopback(address: string): boolean {
  const ipv4 = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(ipv4);
}
