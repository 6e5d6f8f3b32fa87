import { assert, type DurationMs, durationMs, type MonotonicMs, monotonicMs, ProtocolError, utf8Encode } from '../../core/mod.ts';
import type { IceCredentials } from './credentials.ts';
import type { IceCrypto } from './crypto-port.ts';
import { hasValidIntegrity, parseStunMessage, STUN_BINDING, type StunMessage } from './stun-message.ts';
import { buildStunMessage, type StunContent } from './stun-writer.ts';
import { type IceTransport, transportKey } from './transport.ts';

/** Effects of {@link IceLite}; implemented by its owner. `SessionKey` is what the owner knows a session by. */
export interface IceLiteOutput<SessionKey> {
  /** An answer for the path by which the request came; bytes given. */
  respond(transport: IceTransport, bytes: Uint8Array): void;
  /** The first valid check of a session from this path: datagrams from there are the session's, and it may be sent to. */
  validated(session: SessionKey, transport: IceTransport): void;
  /** The peer chose this path (USE-CANDIDATE); a later choice of another one replaces it. Comes after `validated`. */
  nominated(session: SessionKey, transport: IceTransport): void;
  /** The path has room no more: paths are kept up to a limit, the longest unused one that is not chosen goes. */
  forgotten(session: SessionKey, transport: IceTransport): void;
  /** No valid check on the chosen path (before a choice: on any) for the time-out: nothing may be sent any more (RFC 7675 §5.1). Once; a restart begins anew. */
  consentLost(session: SessionKey): void;
}

/** Settings of {@link IceLite}. */
export interface IceLiteOptions {
  /** How long a path may be without a valid check (RFC 7675 §5.1: 30 s). */
  readonly consentTimeoutMs: DurationMs;
  /** Paths kept for a session. */
  readonly transportsPerSessionMax: number;
}

/** RFC 7675's time, and as many paths as the kernel keeps. */
export const defaultIceLiteOptions: IceLiteOptions = { consentTimeoutMs: durationMs(30_000), transportsPerSessionMax: 8 };

/** What happened since the start; these only grow. */
export interface IceLiteCounters {
  /** Messages taken. */
  readonly received: number;
  /** Valid checks, answered with success. */
  readonly checks: number;
  /** Not STUN, not well formed, or without FINGERPRINT. */
  readonly malformed: number;
  /** Requests for a session that is not here; dropped. */
  readonly unknownUfrag: number;
  /** Requests with a wrong password or the wrong peer's fragment. */
  readonly unauthenticated: number;
  /** Peers that say they are controlled, as a lite agent always is. */
  readonly roleConflicts: number;
  /** Error answers sent. */
  readonly errors: number;
  /** Error answers not sent, for they would have amplified. */
  readonly suppressedErrors: number;
  /** Responses, indications and other methods: nothing a lite agent waits for; also checks of a session without consent. */
  readonly ignored: number;
  readonly consentLost: number;
}

/** An answer may have so many times the request's size, lest a forged source address turn it into an attack. */
const AMPLIFICATION_MAX = 1.2;

interface Credentials {
  readonly local: IceCredentials;
  readonly remoteUfrag: string | undefined;
  /** The local password's bytes: requests are signed with the password of who gets them (RFC 8445 §7.2.2). */
  readonly key: Uint8Array;
}

interface Session<SessionKey> {
  readonly key: SessionKey;
  current: Credentials;
  /** Of before a restart, valid until the first check with the new ones. */
  previous: Credentials | undefined;
  /** By transport key, longest unused first. */
  readonly transports: Map<string, IceTransport>;
  selected: string | undefined;
  refreshedAt: MonotonicMs;
  hasConsent: boolean;
}

/**
 * The ICE-lite agent (RFC 8445 §2.5) of all sessions behind one port: answers connectivity checks, finds out the peer's paths,
 * and watches over consent. A session is found by the first half of USERNAME; a message for none costs no state.
 */
export class IceLite<SessionKey> {
  private readonly out: IceLiteOutput<SessionKey>;
  private readonly crypto: IceCrypto;
  private readonly options: IceLiteOptions;
  private readonly byUfrag = new Map<string, Session<SessionKey>>();
  /** Longest without a valid check first: all have the same time-out, so the first is the next to lose consent. */
  private readonly sessions = new Map<SessionKey, Session<SessionKey>>();
  private readonly lost = new Map<SessionKey, Session<SessionKey>>();
  private readonly counts: { -readonly [Name in keyof IceLiteCounters]: number };

  constructor(out: IceLiteOutput<SessionKey>, crypto: IceCrypto, options: IceLiteOptions = defaultIceLiteOptions) {
    this.out = out;
    this.crypto = crypto;
    this.options = options;
    this.counts = {
      received: 0,
      checks: 0,
      malformed: 0,
      unknownUfrag: 0,
      unauthenticated: 0,
      roleConflicts: 0,
      errors: 0,
      suppressedErrors: 0,
      ignored: 0,
      consentLost: 0,
    };
  }

  /** The live counters. */
  get counters(): IceLiteCounters {
    return this.counts;
  }

  /** Sessions, those without consent included. */
  get size(): number {
    return this.sessions.size + this.lost.size;
  }

  /** The time at which `tick` has something to do. */
  get wakeAt(): MonotonicMs | undefined {
    const first = this.sessions.values().next().value;
    return first === undefined ? undefined : monotonicMs(first.refreshedAt + this.options.consentTimeoutMs);
  }

  /** Whether a local username fragment is taken. */
  hasUfrag(ufrag: string): boolean {
    return this.byUfrag.has(ufrag);
  }

  /** Begins a session; its key and `local.ufrag` must be free. With `remoteUfrag` (the peer's), only that peer's checks are valid. */
  add(key: SessionKey, local: IceCredentials, now: MonotonicMs, remoteUfrag?: string): void {
    assert(!this.sessions.has(key) && !this.lost.has(key), `ICE session ${String(key)} is there already`);
    const session: Session<SessionKey> = {
      key,
      current: this.reserve(local, remoteUfrag),
      previous: undefined,
      transports: new Map(),
      selected: undefined,
      refreshedAt: now,
      hasConsent: true,
    };
    this.byUfrag.set(local.ufrag, session);
    this.sessions.set(key, session);
  }

  /**
   * ICE restart (RFC 8445 §9): new credentials; the old ones stay valid until the first check with the new. Consent time begins anew,
   * also for a session that had lost it. Paths stay: the peer's next choice replaces the chosen one.
   */
  restart(key: SessionKey, local: IceCredentials, now: MonotonicMs, remoteUfrag?: string): void {
    const session = this.sessions.get(key) ?? this.lost.get(key);
    assert(session !== undefined, `ICE session ${String(key)} is not there`);
    const next = this.reserve(local, remoteUfrag);
    if (!session.hasConsent) {
      this.releaseCredentials(session);
      session.previous = undefined;
    } else if (session.previous === undefined) {
      session.previous = session.current;
    } else {
      // A restart before the last one's first check: the credentials between go, those in use stay.
      this.byUfrag.delete(session.current.local.ufrag);
    }
    session.current = next;
    session.hasConsent = true;
    this.byUfrag.set(local.ufrag, session);
    this.lost.delete(key);
    this.refresh(session, now);
  }

  /** Ends a session; unknown ones are no matter. */
  remove(key: SessionKey): void {
    const session = this.sessions.get(key) ?? this.lost.get(key);
    if (session === undefined) return;
    this.sessions.delete(key);
    this.lost.delete(key);
    this.releaseCredentials(session);
  }

  /** The owner's TCP connection is gone, or it will not use a path any more. */
  removeTransport(key: SessionKey, transport: IceTransport): void {
    const session = this.sessions.get(key) ?? this.lost.get(key);
    const path = transportKey(transport);
    session?.transports.delete(path);
    if (session?.selected === path) session.selected = undefined;
  }

  /** Takes one message (a datagram, or an RFC 4571 frame's content); borrowed. Never throws for what the peer sends. */
  receive(transport: IceTransport, bytes: Uint8Array, now: MonotonicMs): void {
    this.counts.received++;
    try {
      this.handle(transport, parseStunMessage(bytes), now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.counts.malformed++;
    }
  }

  tick(now: MonotonicMs): void {
    for (const session of this.sessions.values()) {
      if (now < session.refreshedAt + this.options.consentTimeoutMs) return;
      session.hasConsent = false;
      session.selected = undefined;
      session.transports.clear();
      this.sessions.delete(session.key);
      this.lost.set(session.key, session);
      this.counts.consentLost++;
      this.out.consentLost(session.key);
    }
  }

  private releaseCredentials({ current, previous }: Session<SessionKey>): void {
    this.byUfrag.delete(current.local.ufrag);
    if (previous !== undefined) this.byUfrag.delete(previous.local.ufrag);
  }

  private reserve(local: IceCredentials, remoteUfrag: string | undefined): Credentials {
    assert(!this.byUfrag.has(local.ufrag), `ufrag ${local.ufrag} is taken`);
    return { local, remoteUfrag, key: utf8Encode(local.pwd) };
  }

  private handle(transport: IceTransport, message: StunMessage, now: MonotonicMs): void {
    if (message.class !== 'request' || message.method !== STUN_BINDING) {
      this.counts.ignored++;
      return;
    }
    // ICE's checks always carry FINGERPRINT (RFC 8445 §7.1.1); what has none is no check.
    if (!message.hasFingerprint) throw new ProtocolError('ice.bad-stun', 'a request without FINGERPRINT');
    const colon = message.username?.indexOf(':') ?? -1;
    // Of the form "ours:theirs" (RFC 8445 §7.2.2), which also makes every check large enough for its answer.
    if (message.username === undefined || colon < 0 || message.integrityOffset === undefined) {
      this.refuse(transport, message, 400);
      return;
    }
    const ufrag = message.username.slice(0, colon);
    const session = this.byUfrag.get(ufrag);
    if (session === undefined) this.counts.unknownUfrag++;
    else this.authenticate(session, session.current.local.ufrag === ufrag ? session.current : session.previous, transport, message, now);
  }

  private authenticate(
    session: Session<SessionKey>,
    credentials: Credentials | undefined,
    transport: IceTransport,
    message: StunMessage,
    now: MonotonicMs,
  ): void {
    assert(credentials !== undefined, 'a ufrag in the index belongs to its session');
    const { local, remoteUfrag, key } = credentials;
    const isForUs = remoteUfrag === undefined || message.username === `${local.ufrag}:${remoteUfrag}`;
    if (!hasValidIntegrity(message, key, this.crypto) || !isForUs) {
      this.counts.unauthenticated++;
      this.refuse(transport, message, 401);
    } else if (message.unknownAttributes.length > 0) {
      this.refuse(transport, message, 420, key);
    } else if (message.iceControlled !== undefined) {
      // A lite agent is controlled for good (RFC 8445 §6.1.1), so the peer has to change its role (§7.3.1.1).
      this.counts.roleConflicts++;
      this.refuse(transport, message, 487, key);
    } else if (!session.hasConsent) {
      // Consent that was lost comes back by a restart only (RFC 7675 §5.1).
      this.counts.ignored++;
    } else {
      this.accept(session, credentials, transport, message, now);
    }
  }

  private accept(
    session: Session<SessionKey>,
    credentials: Credentials,
    transport: IceTransport,
    message: StunMessage,
    now: MonotonicMs,
  ): void {
    this.counts.checks++;
    const answer = {
      class: 'success',
      method: STUN_BINDING,
      transactionId: message.transactionId,
      mappedAddress: transport.source,
    } as const;
    this.out.respond(transport, buildStunMessage(answer, { key: credentials.key, crypto: this.crypto }));
    if (credentials === session.current && session.previous !== undefined) {
      this.byUfrag.delete(session.previous.local.ufrag);
      session.previous = undefined;
    }
    const path = transportKey(transport);
    const isNew = !session.transports.delete(path);
    session.transports.set(path, transport);
    const isChosen = message.usesCandidate && session.selected !== path;
    if (isChosen) session.selected = path;
    if (session.selected === undefined || session.selected === path) this.refresh(session, now);
    if (isNew) {
      this.out.validated(session.key, transport);
      this.forgetOldest(session);
    }
    if (isChosen && this.sessions.has(session.key)) this.out.nominated(session.key, transport);
  }

  private forgetOldest(session: Session<SessionKey>): void {
    if (session.transports.size <= this.options.transportsPerSessionMax) return;
    for (const [path, transport] of session.transports) {
      if (path === session.selected) continue;
      session.transports.delete(path);
      this.out.forgotten(session.key, transport);
      return;
    }
  }

  private refresh(session: Session<SessionKey>, now: MonotonicMs): void {
    session.refreshedAt = now;
    this.sessions.delete(session.key);
    this.sessions.set(session.key, session);
  }

  private refuse(transport: IceTransport, message: StunMessage, errorCode: 400 | 401 | 420 | 487, key?: Uint8Array): void {
    const unknown = errorCode === 420 ? { unknownAttributes: message.unknownAttributes } : {};
    const content: StunContent = { class: 'error', method: STUN_BINDING, transactionId: message.transactionId, errorCode, ...unknown };
    const bytes = buildStunMessage(content, key === undefined ? undefined : { key, crypto: this.crypto });
    if (bytes.length > message.bytes.length * AMPLIFICATION_MAX) {
      this.counts.suppressedErrors++;
      return;
    }
    this.counts.errors++;
    this.out.respond(transport, bytes);
  }
}
