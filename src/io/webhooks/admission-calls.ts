import type pino from 'pino';
import { type AdmissionHook, type AdmissionQuestion, type HookOutcome, type HookVerdict, verdictOf } from '../../access/mod.ts';
import { isoTime, newId } from '../access/hashed-key.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { HookCounts } from './hook-counts.ts';
import type { HookSender, Sent } from './hook-sender.ts';

export interface AdmissionCallsOptions {
  readonly sender: HookSender;
  readonly deliveryLog: DeliveryLog;
  readonly counts: HookCounts;
  readonly nodeId: string;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: pino.Logger;
}

/** The body of a question. */
export const questionBody = (id: string, question: AdmissionQuestion, node: string, wallMs: number, isTest = false): string =>
  JSON.stringify({ v: 1, id, ...question, node, time: isoTime(wallMs), ...(isTest ? { test: true } : {}) });

export const detailOf = (verdict: HookVerdict): string | undefined => {
  if (verdict.kind === 'allowed') return undefined;
  const text = verdict.kind === 'refused' ? verdict.reason : verdict.detail;
  return text === '' ? undefined : text;
};

/** Puts questions to admission hooks, and keeps in the log what they said. */
export class AdmissionCalls {
  private readonly options: AdmissionCallsOptions;
  /** Hooks that gave no answer the last time. */
  private readonly down = new Set<string>();

  constructor(options: AdmissionCallsOptions) {
    this.options = options;
  }

  readonly ask = (hook: AdmissionHook, question: AdmissionQuestion, done: (outcome: HookOutcome) => void): void => {
    const { sender, nodeId, wall } = this.options;
    const id = newId();
    const body = questionBody(id, question, nodeId, Math.round(wall()));
    void sender.post(hook, { id, type: question.type, body, timeoutMs: hook.timeoutMs }).then((sent) => {
      this.note(hook, question, id, sent);
      done(sent);
    });
  };

  readonly tooMany = ({ id }: AdmissionHook): void => {
    this.options.counts.unasked();
    this.isDown(id, 'it is asked too much at a time');
  };

  forget(hook: string): void {
    this.down.delete(hook);
  }

  private note(hook: AdmissionHook, { type, stream }: AdmissionQuestion, id: string, sent: Sent): void {
    const verdict = verdictOf(sent);
    const detail = detailOf(verdict);
    this.options.counts.question(verdict.kind, sent.durationMs);
    if (verdict.kind === 'down') this.isDown(hook.id, verdict.detail);
    else if (this.down.delete(hook.id))
      this.options.log.info({ code: 'webhook.up', hook: hook.id, app: hook.app }, 'an admission webhook answers again');
    this.options.deliveryLog.note(hook.id, {
      id,
      type,
      stream,
      at: isoTime(Math.round(this.options.wall())),
      status: verdict.kind,
      attempts: 1,
      durationMs: sent.durationMs,
      ...('status' in sent ? { httpStatus: sent.status } : {}),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  private isDown(hook: string, detail: string): void {
    if (this.down.has(hook)) return;
    this.down.add(hook);
    this.options.log.warn(
      { code: 'webhook.down', hook, detail },
      'an admission webhook gives no answer that can be used: what is set for that counts',
    );
  }
}
