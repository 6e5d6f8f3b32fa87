import { durationMs, type MonotonicMs, type WallMs } from '../core/mod.ts';
import type { AccessDecision, AccessGate, AccessRequest } from './access-gate.ts';
import type { AccessRefused } from './access-refusals.ts';
import type { AccessReplica } from './access-replica.ts';
import { type AppLimits, NO_LIMITS } from './app-limits.ts';
import {
  type AppRecord,
  NO_RECORDING,
  NO_TOKENS,
  type Playback,
  PUBLIC_PLAYBACK,
  type RecordingSettings,
  type SecondPublisherPolicy,
  type TokenSettings,
} from './app-record.ts';
import { AttemptLimit, type AttemptLimitOptions } from './attempt-limit.ts';
import { type IpNetwork, parseIpNetwork } from './ip-network.ts';
import { isPageOf } from './page-domain.ts';
import { revokedTokenId } from './revoked-token.ts';
import { hasExpired, isSameHash, type StreamKeyRecord, streamKeyId } from './secret-key.ts';
import { isAmong, isTokenLike, judgeClaims, type TokenClaims, type TokenRefused } from './token-claims.ts';
import { keyCredential, tokenCredential } from './withdrawal.ts';

/** An app as the configuration has it. */
export interface ConfiguredApp {
  readonly name: string;
  /** Any of these lets a publisher in, beside the keys in the store. */
  readonly keys: readonly string[];
  /** Whether a publisher on this machine needs no key; one that it shows all the same has to be right. */
  readonly publishFromLoopback: boolean;
  readonly secondPublisher: SecondPublisherPolicy;
  readonly limits?: AppLimits;
  readonly recording?: RecordingSettings;
}

export type TokenVerdict = { readonly claims: TokenClaims } | { readonly refused: TokenRefused };

/** What the decisions need from outside. */
export interface AccessPorts {
  /** SHA-256 of the text's UTF-8 bytes. */
  sha256(text: string): Uint8Array;
  now(): MonotonicMs;
  wall(): WallMs;
  /** Checks a token's signature and reads its claims; `done` is called exactly once, at once for a token that is known. */
  verify(app: string, settings: TokenSettings, token: string, done: (verdict: TokenVerdict) => void): void;
}

/** An app as it counts: what the configuration says, and what the store says over it. */
export interface EffectiveApp {
  readonly name: string;
  /** Whether it stands in this node's configuration. */
  readonly isConfigured: boolean;
  readonly configuredKeys: number;
  readonly publishFromLoopback: boolean;
  readonly secondPublisher: SecondPublisherPolicy;
  readonly playback: Playback;
  readonly tokens: TokenSettings;
  readonly limits: AppLimits;
  readonly recording: RecordingSettings;
  readonly record: AppRecord | undefined;
}

/** Ten wrong keys at once and one more each six seconds: a person's typing errors pass, guessing does not get anywhere. */
const ATTEMPTS: AttemptLimitOptions = { attemptsMax: 10, refillMs: durationMs(6_000), addressesMax: 10_000 };
/** Longer keys than any that can be configured are not worth a digest. */
const KEY_LENGTH_MAX = 1_024;

interface Configured extends Omit<ConfiguredApp, 'keys'> {
  readonly digests: readonly Uint8Array[];
}

/** Decides who may publish and play, by the configuration and this node's copy of the store. */
export class AccessControl implements AccessGate {
  private readonly ports: AccessPorts;
  private readonly replica: AccessReplica;
  private readonly configured: ReadonlyMap<string, Configured>;
  private readonly limit: AttemptLimit;
  /** What was parsed of a list of networks, for as long as that list is in use. */
  private readonly networks = new WeakMap<Playback, readonly IpNetwork[]>();

  constructor(apps: readonly ConfiguredApp[], replica: AccessReplica, ports: AccessPorts, attempts: AttemptLimitOptions = ATTEMPTS) {
    this.ports = ports;
    this.replica = replica;
    this.limit = new AttemptLimit(attempts);
    this.configured = new Map(apps.map(({ keys, ...app }) => [app.name, { ...app, digests: keys.map((key) => ports.sha256(key)) }]));
  }

  /** All apps of the configuration and the store. */
  apps(): readonly EffectiveApp[] {
    const names = new Set([...this.configured.keys(), ...Array.from(this.replica.apps.values(), ({ name }) => name)]);
    return Array.from(names, (name) => this.app(name)).filter((app) => app !== undefined);
  }

  app(name: string): EffectiveApp | undefined {
    const configured = this.configured.get(name);
    const record = this.replica.apps.get(name);
    if (configured === undefined && record === undefined) return undefined;
    return {
      name,
      isConfigured: configured !== undefined,
      configuredKeys: configured?.digests.length ?? 0,
      publishFromLoopback: record?.publishFromLoopback ?? configured?.publishFromLoopback ?? false,
      secondPublisher: record?.secondPublisher ?? configured?.secondPublisher ?? 'reject',
      playback: record?.playback ?? PUBLIC_PLAYBACK,
      tokens: record?.tokens ?? NO_TOKENS,
      limits: this.limitsOf(name),
      recording: this.recordingOf(name),
      record,
    };
  }

  secondPublisher(name: string): SecondPublisherPolicy {
    return this.app(name)?.secondPublisher ?? 'reject';
  }

  limitsOf(name: string): AppLimits {
    return this.replica.apps.get(name)?.limits ?? this.configured.get(name)?.limits ?? NO_LIMITS;
  }

  /** What of an app's streams is recorded: of an app that is not there, nothing. */
  recordingOf(name: string): RecordingSettings {
    return this.replica.apps.get(name)?.recording ?? this.configured.get(name)?.recording ?? NO_RECORDING;
  }

  isOpen(app: string): boolean {
    const { replica } = this;
    if (!replica.isRead || (replica.wasDeleted(app) && !this.configured.has(app))) return false;
    return (replica.apps.get(app)?.playback ?? PUBLIC_PLAYBACK).policy === 'public';
  }

  asksForPage(app: string): boolean {
    return this.replica.apps.get(app)?.playback.policy === 'domains';
  }

  admit(request: AccessRequest, decided: (decision: AccessDecision) => void): void {
    if (request.act === 'publish') this.admitPublisher(request, decided);
    else this.admitViewer(request, decided);
  }

  private admitPublisher(request: AccessRequest, decided: (decision: AccessDecision) => void): void {
    const app = this.app(request.ref.app);
    if (app === undefined) {
      decided({ refused: this.replica.isRead ? 'app-unknown' : 'not-ready' });
      return;
    }
    const { token, key } = request.credential;
    if (token !== undefined && isTokenLike(token)) this.judgeToken(app, token, request, decided);
    // A bearer token may be a stream key, as WHIP clients have no other field for it.
    else decided(this.judgeKey(app, key === undefined || key === '' ? token : key, request));
  }

  private admitViewer(request: AccessRequest, decided: (decision: AccessDecision) => void): void {
    const { app: name } = request.ref;
    if (this.isOpen(name)) {
      decided('allowed');
      return;
    }
    if (!this.replica.isRead) {
      decided({ refused: 'not-ready' });
      return;
    }
    const app = this.app(name);
    const { token } = request.credential;
    if (app === undefined) decided({ refused: 'app-unknown' });
    // A token opens the other policies, too: for those who look after the streams.
    else if (token !== undefined && token !== '') this.judgeToken(app, token, request, decided);
    else decided(this.judgePlayback(app.playback, request));
  }

  private judgePlayback(playback: Playback, { page, address }: AccessRequest): AccessDecision {
    switch (playback.policy) {
      case 'public':
        return 'allowed';
      case 'token':
        return { refused: 'token-missing' };
      case 'domains':
        return page !== undefined && isPageOf(page, playback.domains) ? 'allowed' : { refused: 'domain' };
      case 'networks':
        return isAmong(address, this.networksOf(playback)) ? 'allowed' : { refused: 'network' };
    }
  }

  private judgeToken(app: EffectiveApp, token: string, request: AccessRequest, decided: (decision: AccessDecision) => void): void {
    if (!isTokenLike(token)) {
      decided({ refused: 'token-malformed' });
      return;
    }
    this.ports.verify(app.name, app.tokens, token, (verdict) => {
      const refused = 'refused' in verdict ? verdict.refused : this.judge(app.name, verdict.claims, request);
      decided(refused === undefined ? 'allowed' : { refused });
    });
  }

  private judge(app: string, claims: TokenClaims, request: AccessRequest): AccessRefused | undefined {
    const refused = judgeClaims(claims, request, this.ports.wall());
    if (refused !== undefined || claims.jti === undefined) return refused;
    const id = revokedTokenId(app, claims.jti, (text) => this.ports.sha256(text));
    if (this.replica.revokedTokens.get(id) !== undefined) return 'token-revoked';
    request.letInBy?.(tokenCredential(id));
    return undefined;
  }

  private judgeKey(app: EffectiveApp, key: string | undefined, request: AccessRequest): AccessDecision {
    const { ref, address } = request;
    if (key === undefined || key === '') return app.publishFromLoopback && isLoopback(address) ? 'allowed' : { refused: 'key-missing' };
    // A key that is shown has to be right, from loopback too: a typing error should be seen where it is made.
    const now = this.ports.now();
    // Before the comparison: an address that guesses must not learn that it guessed right.
    if (this.limit.isExhausted(address, now)) return { refused: 'too-many-attempts' };
    const digest = key.length <= KEY_LENGTH_MAX ? this.ports.sha256(key) : undefined;
    if (digest !== undefined && this.isConfiguredKey(app.name, digest)) return 'allowed';
    const record = this.replica.streamKeys.get(streamKeyId(key) ?? '');
    const secret = digest === undefined ? undefined : record?.secrets.find(({ sha256 }) => isSameHash(sha256, digest));
    if (record === undefined || secret === undefined || record.app !== app.name) {
      this.limit.noteWrong(address, now);
      return { refused: 'key-wrong' };
    }
    const decision = this.judgeKeyRecord(record, secret.expiresAtMs, ref.name);
    if (decision === 'allowed') request.letInBy?.(keyCredential(record.id));
    return decision;
  }

  private judgeKeyRecord(record: StreamKeyRecord, secretExpiresAtMs: number | undefined, stream: string): AccessDecision {
    const wall = this.ports.wall();
    if (hasExpired(record.expiresAtMs, wall) || hasExpired(secretExpiresAtMs, wall)) return { refused: 'key-expired' };
    return record.stream === undefined || record.stream === stream ? 'allowed' : { refused: 'key-stream' };
  }

  private isConfiguredKey(app: string, digest: Uint8Array): boolean {
    let matches = 0;
    for (const known of this.configured.get(app)?.digests ?? []) matches |= isEqual(known, digest) ? 1 : 0;
    return matches === 1;
  }

  private networksOf(playback: Playback): readonly IpNetwork[] {
    const known = this.networks.get(playback);
    if (known !== undefined) return known;
    const parsed = playback.networks.flatMap(networkOf);
    this.networks.set(playback, parsed);
    return parsed;
  }
}

function networkOf(text: string): readonly IpNetwork[] {
  try {
    return [parseIpNetwork(text)];
  } catch {
    // Written by other software: what cannot be read lets nobody in.
    return [];
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
