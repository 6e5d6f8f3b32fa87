import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import type { AccessDecision, AccessGate, AccessProtocol, AccessRequest } from './access-gate.ts';
import type { AccessRefused } from './access-refusals.ts';
import { AdmissionCache } from './admission-cache.ts';
import { cleanText, type HookOutcome, type HookVerdict, verdictOf } from './hook-answer.ts';
import type { AccessAct } from './token-claims.ts';
import type { AdmissionHook } from './webhook-record.ts';
import type { WebhookReplica } from './webhook-replica.ts';

/** What a hook is asked. */
export interface AdmissionQuestion {
  readonly type: AccessAct;
  readonly app: string;
  /** `app/name`. */
  readonly stream: string;
  readonly protocol?: AccessProtocol;
  readonly address: string;
  /** Scheme, host and port of the page that asks. */
  readonly page?: string;
}

export interface HookedGatePorts {
  now(): MonotonicMs;
  /** Puts a question to a hook; `done` is called exactly once, within the hook's time-out. */
  ask(hook: AdmissionHook, question: AdmissionQuestion, done: (outcome: HookOutcome) => void): void;
  /** Told that a hook was not asked, since as many questions as may be are on their way to it. */
  tooMany(hook: AdmissionHook): void;
  /** Told of publishers that were turned away, by whatever. */
  publisherRefused(request: AccessRequest, refused: AccessRefused): void;
}

export interface HookedGateLimits {
  /** Questions to one hook at a time; beyond them, what is set for a hook that is down counts. */
  readonly askingMax: number;
  /** Who waits for an answer to one question that was put already. */
  readonly waitingMax: number;
  readonly cacheEntriesMax: number;
}

export const HOOKED_GATE_LIMITS: HookedGateLimits = { askingMax: 64, waitingMax: 1_000, cacheEntriesMax: 50_000 };
/** A viewer who was refused may be let in soon after, e.g. when he has paid. */
const REFUSED_MS_MAX = 10_000;
/** While a hook is down, each request of a player would wait for the time-out. */
const DOWN_MS = 5_000;
const PAGE_LENGTH_MAX = 256;
const ORIGIN = /^https?:\/\/[^/?#\s"\\]+/i;

type Waiting = (verdict: HookVerdict) => void;

/** Asks an app's webhooks about publishers and viewers whom another gate has let in; all of them have to allow it. */
export class HookedGate implements AccessGate {
  private readonly inner: AccessGate;
  private readonly hooks: WebhookReplica;
  private readonly ports: HookedGatePorts;
  private readonly limits: HookedGateLimits;
  private readonly cache: AdmissionCache;
  /** Who waits for the answer to a question that was put, by question. */
  private readonly asked = new Map<string, Waiting[]>();
  /** Questions that are on their way, by hook. */
  private readonly asking = new Map<string, number>();

  constructor(inner: AccessGate, hooks: WebhookReplica, ports: HookedGatePorts, limits: HookedGateLimits = HOOKED_GATE_LIMITS) {
    this.inner = inner;
    this.hooks = hooks;
    this.ports = ports;
    this.limits = limits;
    this.cache = new AdmissionCache(limits.cacheEntriesMax);
  }

  isOpen(app: string): boolean {
    return this.hooks.isRead && this.hooks.admission(app, 'play').length === 0 && this.inner.isOpen(app);
  }

  asksForPage(app: string): boolean {
    return this.inner.asksForPage(app);
  }

  admit(request: AccessRequest, decided: (decision: AccessDecision) => void): void {
    this.inner.admit(request, (decision) => {
      if (decision !== 'allowed') {
        this.refuse(request, decision, decided);
        return;
      }
      // A hook that is not known yet must not be gone past. What the configuration alone lets publish goes on without the store.
      if (!this.hooks.isRead && request.act === 'play') decided({ refused: 'not-ready' });
      else this.askAll(this.hooks.admission(request.ref.app, request.act), request, decided);
    });
  }

  private refuse(request: AccessRequest, decision: Exclude<AccessDecision, 'allowed'>, decided: (decision: AccessDecision) => void): void {
    if (request.act === 'publish') this.ports.publisherRefused(request, decision.refused);
    decided(decision);
  }

  private askAll(hooks: readonly AdmissionHook[], request: AccessRequest, decided: (decision: AccessDecision) => void): void {
    let left = hooks.length;
    let isDecided = false;
    if (left === 0) {
      decided('allowed');
      return;
    }
    const question = questionOf(request);
    for (const hook of hooks) {
      this.ask(hook, question, (verdict) => {
        left -= 1;
        if (isDecided) return;
        const decision = decisionOf(hook, verdict);
        if (decision === 'allowed' && left > 0) return;
        isDecided = true;
        if (decision === 'allowed') decided(decision);
        else this.refuse(request, decision, decided);
      });
    }
  }

  /** Viewers by what is known of them or was asked already; publishers are asked about each time. */
  private ask(hook: AdmissionHook, question: AdmissionQuestion, done: Waiting): void {
    if (question.type === 'publish') {
      this.put(hook, question, done);
      return;
    }
    const { stream, protocol = '', address, page = '' } = question;
    // Nothing else is told to the hook, so its answer cannot go by anything else. With the time of the last change, a hook that was changed is asked anew.
    const key = `${hook.id} ${hook.changedAtMs} ${stream} ${protocol} ${address} ${page}`;
    const known = this.cache.get(key, this.ports.now());
    const waiting = this.asked.get(key);
    if (known !== undefined) {
      done(known);
    } else if (waiting !== undefined) {
      if (waiting.length < this.limits.waitingMax) waiting.push(done);
      else done(TOO_MANY);
    } else {
      const all: Waiting[] = [done];
      this.asked.set(key, all);
      this.put(hook, question, (verdict) => {
        this.asked.delete(key);
        // Too many questions at once say nothing of this viewer.
        if (verdict !== TOO_MANY) this.cache.set(key, verdict, monotonicMs(this.ports.now() + keptMs(hook, verdict)));
        for (const each of all) each(verdict);
      });
    }
  }

  private put(hook: AdmissionHook, question: AdmissionQuestion, done: Waiting): void {
    const asking = this.asking.get(hook.id) ?? 0;
    if (asking >= this.limits.askingMax) {
      this.ports.tooMany(hook);
      done(TOO_MANY);
      return;
    }
    this.asking.set(hook.id, asking + 1);
    this.ports.ask(hook, question, (outcome) => {
      const left = (this.asking.get(hook.id) ?? 1) - 1;
      if (left === 0) this.asking.delete(hook.id);
      else this.asking.set(hook.id, left);
      done(verdictOf(outcome));
    });
  }
}

const TOO_MANY: HookVerdict = { kind: 'down', detail: 'it is asked too much at a time' };

function keptMs({ cacheS }: AdmissionHook, { kind }: HookVerdict): number {
  if (kind === 'down') return DOWN_MS;
  return kind === 'refused' ? Math.min(cacheS * 1000, REFUSED_MS_MAX) : cacheS * 1000;
}

function decisionOf({ whenDown }: AdmissionHook, verdict: HookVerdict): AccessDecision {
  if (verdict.kind === 'allowed' || (verdict.kind === 'down' && whenDown === 'allow')) return 'allowed';
  if (verdict.kind === 'down') return { refused: 'hook-unavailable' };
  return { refused: 'hook-refused', ...(verdict.reason === '' ? {} : { because: verdict.reason }) };
}

function questionOf({ act, ref, protocol, address, page }: AccessRequest): AdmissionQuestion {
  const origin = page === undefined ? undefined : ORIGIN.exec(page.slice(0, PAGE_LENGTH_MAX))?.[0];
  return {
    type: act,
    app: ref.app,
    stream: ref.path,
    ...(protocol === undefined ? {} : { protocol }),
    address,
    ...(origin === undefined ? {} : { page: cleanText(origin.toLowerCase(), PAGE_LENGTH_MAX) }),
  };
}
