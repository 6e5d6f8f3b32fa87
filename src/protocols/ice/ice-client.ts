import { assert, type DurationMs, durationMs, type MonotonicMs, monotonicMs, ProtocolError, utf8Encode } from '../../core/mod.ts';
import { type CandidateType, candidatePriority, type IceCandidate } from './candidate.ts';
import type { IceCredentials } from './credentials.ts';
import type { IceCrypto } from './crypto-port.ts';
import {
  hasValidIntegrity,
  parseStunMessage,
  STUN_BINDING,
  STUN_TRANSACTION_ID_BYTES,
  type StunMessage,
  type TransportAddress,
} from './stun-message.ts';
import { buildStunMessage, type StunSigner } from './stun-writer.ts';

/** Why a connection could not be made or did not last. */
export type IceFailure = 'no-candidates' | 'timeout' | 'refused' | 'role-conflict' | 'consent-lost';

/** Effects of {@link IceClient}; implemented by its owner. */
export interface IceClientOutput {
  /** A message for a remote candidate; bytes given. For a TCP candidate the owner connects first, and frames it (RFC 4571). */
  send(candidate: IceCandidate, bytes: Uint8Array): void;
  /** This candidate is chosen; media may be sent to it. Once. */
  connected(candidate: IceCandidate): void;
  /** It is over, once. */
  failed(reason: IceFailure): void;
}

/** Settings of {@link IceClient}. */
export interface IceClientOptions {
  /** From the first candidate's check to a success. */
  readonly connectTimeoutMs: DurationMs;
  /** Between the first checks of two candidates (RFC 8445 §14.2: Ta). */
  readonly pacingMs: DurationMs;
  /** First retransmission time-out; it doubles (RFC 8489 §6.2.1). */
  readonly rtoMs: DurationMs;
  /** Transmissions of one check (RFC 8489 §6.2.1: Rc). */
  readonly transmissionsMax: number;
  /** Between consent checks, moved at random by ± 20 % (RFC 7675 §5.1). */
  readonly consentIntervalMs: DurationMs;
  /** Without an answer for so long, consent is lost (RFC 7675 §5.1). */
  readonly consentTimeoutMs: DurationMs;
  /** Further candidates are not taken. */
  readonly candidatesMax: number;
}

/** The RFCs' values; connecting is given up after 15 s. */
export const defaultIceClientOptions: IceClientOptions = {
  connectTimeoutMs: durationMs(15_000),
  pacingMs: durationMs(50),
  rtoMs: durationMs(500),
  transmissionsMax: 7,
  consentIntervalMs: durationMs(5_000),
  consentTimeoutMs: durationMs(30_000),
  candidatesMax: 32,
};

const LOCAL_PREFERENCE = 65535;
/** Consent checks whose answers may still come. */
const CONSENT_CHECKS_MAX = 6;

interface Check {
  readonly candidate: IceCandidate;
  transactionId: Uint8Array;
  bytes: Uint8Array;
  transmissions: number;
  nextAt: number;
  state: 'waiting' | 'in-progress' | 'failed';
}

const sameAddress = (candidate: IceCandidate, protocol: 'udp' | 'tcp', { ip, port }: TransportAddress): boolean =>
  candidate.protocol === protocol && candidate.ip === ip && candidate.port === port;

const sameBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);

/**
 * The controlling agent of one session against a server. Tries the server's candidates best first, nominating each as it goes
 * (the peer is lite, or waits for a nomination); the first that answers is chosen. Answers the checks of a full agent, too.
 */
export class IceClient {
  private readonly out: IceClientOutput;
  private readonly crypto: IceCrypto;
  private readonly options: IceClientOptions;
  private readonly local: IceCredentials;
  private readonly remote: IceCredentials;
  private readonly localSigner: StunSigner;
  private readonly remoteSigner: StunSigner;
  private readonly tieBreaker: bigint;
  private readonly checks: Check[] = [];
  private consentIds: Uint8Array[] = [];
  private state: 'connecting' | 'connected' | 'closed' = 'connecting';
  private chosen: IceCandidate | undefined = undefined;
  private hasAllCandidates = false;
  private lastError: IceFailure = 'timeout';
  private deadline: number;
  private nextStartAt: number;
  private nextConsentAt = Number.POSITIVE_INFINITY;

  constructor(
    out: IceClientOutput,
    crypto: IceCrypto,
    credentials: { readonly local: IceCredentials; readonly remote: IceCredentials },
    now: MonotonicMs,
    options: IceClientOptions = defaultIceClientOptions,
  ) {
    this.out = out;
    this.crypto = crypto;
    this.options = options;
    this.local = credentials.local;
    this.remote = credentials.remote;
    this.localSigner = { key: utf8Encode(this.local.pwd), crypto };
    this.remoteSigner = { key: utf8Encode(this.remote.pwd), crypto };
    this.tieBreaker = crypto.randomBytes(8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    this.deadline = now + options.connectTimeoutMs;
    this.nextStartAt = now;
  }

  /** The chosen candidate, from `connected` on. */
  get selected(): IceCandidate | undefined {
    return this.chosen;
  }

  /** The time at which `tick` has something to do. */
  get wakeAt(): MonotonicMs | undefined {
    if (this.state === 'closed') return undefined;
    if (this.state === 'connected') return monotonicMs(Math.min(this.nextConsentAt, this.deadline));
    let at = this.deadline;
    for (const check of this.checks) {
      if (check.state === 'waiting') at = Math.min(at, this.nextStartAt);
      else if (check.state === 'in-progress') at = Math.min(at, check.nextAt);
    }
    return monotonicMs(at);
  }

  /** A candidate of the server's; `tick` sends its check. Doubles, TCP candidates that do not listen and those past the limit are left out. */
  addRemoteCandidate(candidate: IceCandidate): void {
    if (this.state === 'closed' || candidate.port === 0 || (candidate.protocol === 'tcp' && candidate.tcpType !== 'passive')) return;
    if (this.checks.length >= this.options.candidatesMax) return;
    if (this.checks.some((check) => sameAddress(check.candidate, candidate.protocol, candidate))) return;
    this.checks.push({
      candidate,
      transactionId: new Uint8Array(),
      bytes: new Uint8Array(),
      transmissions: 0,
      nextAt: 0,
      state: 'waiting',
    });
    this.checks.sort((left, right) => right.candidate.priority - left.candidate.priority);
  }

  /** No more candidates will come: when all that are there fail, so does the session, without waiting for its time-out. */
  endOfCandidates(): void {
    this.hasAllCandidates = true;
    this.failIfExhausted();
  }

  /** The owner could not send to a candidate, e.g. its TCP connection was refused. */
  candidateFailed(candidate: IceCandidate): void {
    const check = this.checks.find((one) => one.candidate === candidate);
    if (check === undefined || this.state === 'closed') return;
    check.state = 'failed';
    if (this.chosen === candidate) this.fail('consent-lost');
    else this.failIfExhausted();
  }

  /** Ends the session, without an output. */
  close(): void {
    this.state = 'closed';
  }

  tick(now: MonotonicMs): void {
    if (this.state === 'closed') return;
    if (now >= this.deadline) {
      if (this.state === 'connected') this.fail('consent-lost');
      else this.fail(this.checks.length === 0 ? 'no-candidates' : this.lastError);
    } else if (this.state === 'connected') {
      if (now >= this.nextConsentAt) this.sendConsentCheck(now);
    } else {
      this.retransmit(now);
      this.startNext(now);
    }
  }

  /** Takes a message that came by `protocol` from `source`; borrowed. Never throws for what the peer sends. */
  receive(protocol: 'udp' | 'tcp', source: TransportAddress, bytes: Uint8Array, now: MonotonicMs): void {
    if (this.state === 'closed') return;
    try {
      const message = parseStunMessage(bytes);
      if (message.method !== STUN_BINDING) return;
      if (message.class === 'request') this.answer(protocol, source, message);
      else if (message.class === 'success' || message.class === 'error') this.receiveAnswer(protocol, source, message, now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  private buildCheck(): { transactionId: Uint8Array; bytes: Uint8Array } {
    const transactionId = this.crypto.randomBytes(STUN_TRANSACTION_ID_BYTES);
    const bytes = buildStunMessage(
      {
        class: 'request',
        method: STUN_BINDING,
        transactionId,
        username: `${this.remote.ufrag}:${this.local.ufrag}`,
        // What a reflexive candidate found by this check would have (RFC 8445 §7.1.1).
        priority: candidatePriority('prflx', LOCAL_PREFERENCE),
        usesCandidate: true,
        iceControlling: this.tieBreaker,
      },
      this.remoteSigner,
    );
    return { transactionId, bytes };
  }

  private startNext(now: MonotonicMs): void {
    if (this.state !== 'connecting' || now < this.nextStartAt) return;
    const check = this.checks.find((one) => one.state === 'waiting');
    if (check === undefined) return;
    Object.assign(check, this.buildCheck());
    check.state = 'in-progress';
    check.transmissions = 1;
    check.nextAt = now + this.options.rtoMs;
    this.nextStartAt = now + this.options.pacingMs;
    this.out.send(check.candidate, check.bytes);
  }

  private retransmit(now: MonotonicMs): void {
    for (const check of this.checks) {
      if (check.state !== 'in-progress' || now < check.nextAt) continue;
      // A stream transport repeats by itself (RFC 8489 §6.2.2); only the session's time-out ends such a check.
      if (check.candidate.protocol === 'tcp') check.nextAt = Number.POSITIVE_INFINITY;
      else if (check.transmissions >= this.options.transmissionsMax) check.state = 'failed';
      else {
        check.nextAt = now + this.options.rtoMs * 2 ** check.transmissions;
        check.transmissions++;
        this.out.send(check.candidate, check.bytes);
      }
    }
    this.failIfExhausted();
  }

  private sendConsentCheck(now: MonotonicMs): void {
    assert(this.chosen !== undefined, 'consent is checked on the chosen candidate');
    const { transactionId, bytes } = this.buildCheck();
    // Any answer of the last 30 s renews consent; a check is not repeated (RFC 7675 §5.1).
    this.consentIds = [...this.consentIds, transactionId].slice(-CONSENT_CHECKS_MAX);
    this.scheduleConsent(now);
    this.out.send(this.chosen, bytes);
  }

  private scheduleConsent(now: MonotonicMs): void {
    const factor = 0.8 + ((this.crypto.randomBytes(1)[0] ?? 0) / 255) * 0.4;
    this.nextConsentAt = now + this.options.consentIntervalMs * factor;
  }

  private receiveAnswer(protocol: 'udp' | 'tcp', source: TransportAddress, message: StunMessage, now: MonotonicMs): void {
    if (this.state === 'connected') {
      if (message.class !== 'success' || !this.consentIds.some((id) => sameBytes(id, message.transactionId))) return;
      if (hasValidIntegrity(message, this.remoteSigner.key, this.crypto)) this.deadline = now + this.options.consentTimeoutMs;
      return;
    }
    const check = this.checks.find((one) => one.state === 'in-progress' && sameBytes(one.transactionId, message.transactionId));
    // An answer from elsewhere than the check went to is none (RFC 8445 §7.2.5.2.1).
    if (check === undefined || !sameAddress(check.candidate, protocol, source)) return;
    if (message.class === 'error') this.refused(check, message.errorCode ?? 0);
    else if (hasValidIntegrity(message, this.remoteSigner.key, this.crypto)) this.connect(check.candidate, now);
  }

  private connect(candidate: IceCandidate, now: MonotonicMs): void {
    this.state = 'connected';
    this.chosen = candidate;
    this.deadline = now + this.options.consentTimeoutMs;
    this.scheduleConsent(now);
    this.out.connected(candidate);
  }

  private refused(check: Check, errorCode: number): void {
    check.state = 'failed';
    this.lastError = errorCode === 487 ? 'role-conflict' : 'refused';
    this.failIfExhausted();
  }

  /** A full agent's check of us: answered, and its address tried when it is new (RFC 8445 §7.3.1). */
  private answer(protocol: 'udp' | 'tcp', source: TransportAddress, message: StunMessage): void {
    if (message.username !== `${this.local.ufrag}:${this.remote.ufrag}`) return;
    if (!hasValidIntegrity(message, this.localSigner.key, this.crypto)) return;
    const type: CandidateType = 'prflx';
    const known = this.checks.find((check) => sameAddress(check.candidate, protocol, source))?.candidate;
    const candidate: IceCandidate = known ?? {
      foundation: 'prflx',
      component: 1,
      protocol,
      priority: Math.max(message.priority ?? 1, 1),
      ...source,
      type,
      ...(protocol === 'tcp' ? { tcpType: 'passive' } : {}),
    };
    if (known === undefined && this.state === 'connecting') this.addRemoteCandidate(candidate);
    const content = { class: 'success', method: STUN_BINDING, transactionId: message.transactionId, mappedAddress: source } as const;
    this.out.send(candidate, buildStunMessage(content, this.localSigner));
  }

  private failIfExhausted(): void {
    if (this.state !== 'connecting' || !this.hasAllCandidates) return;
    if (this.checks.every((check) => check.state === 'failed')) this.fail(this.checks.length === 0 ? 'no-candidates' : this.lastError);
  }

  private fail(reason: IceFailure): void {
    this.state = 'closed';
    this.out.failed(reason);
  }
}
