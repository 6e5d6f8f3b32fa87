import { type HistogramValue, LatencyHistogram } from '../latency-histogram.ts';
import type { MetricSource } from '../metrics.ts';
import type { LogEntry } from './delivery-log.ts';

/** What comes of an attempt to tell of an event: `retrying`: it is tried again; `dead`: it became a dead letter; `dropped`: too many waited. */
type DeliveryResult = Extract<LogEntry['status'], 'delivered' | 'retrying' | 'dead' | 'dropped'>;
/** What comes of a question; `unasked`: too many were being asked. */
type QuestionResult = 'allowed' | 'refused' | 'down' | 'unasked';

const DELIVERY_RESULTS: readonly DeliveryResult[] = ['delivered', 'retrying', 'dead', 'dropped'];
const QUESTION_RESULTS: readonly QuestionResult[] = ['allowed', 'refused', 'down', 'unasked'];

/** Counts what webhooks are sent by this node, since the process began. */
export class HookCounts {
  private readonly deliveries = new Map<DeliveryResult, number>(DELIVERY_RESULTS.map((result) => [result, 0]));
  private readonly questions = new Map<QuestionResult, number>(QUESTION_RESULTS.map((result) => [result, 0]));
  private readonly questionTimes = new LatencyHistogram();

  delivery(result: DeliveryResult): void {
    this.deliveries.set(result, (this.deliveries.get(result) ?? 0) + 1);
  }

  /** `durationMs`: until its answer was there, or was not waited for any more. */
  question(result: Exclude<QuestionResult, 'unasked'>, durationMs: number): void {
    this.count(result);
    this.questionTimes.add(durationMs);
  }

  unasked(): void {
    this.count('unasked');
  }

  /** `waiting`: events that are on their way. */
  metrics(waiting: () => number): readonly MetricSource[] {
    return [
      {
        name: 'sluice_webhook_deliveries_total',
        kind: 'counter',
        help: 'Attempts to tell webhooks of events by what came of them; dead: given up, a dead letter; dropped: too many waited',
        labels: ['result'],
        read: () => [...this.deliveries].map(([result, value]) => ({ labels: { result }, value })),
      },
      {
        name: 'sluice_webhook_queue',
        kind: 'gauge',
        help: 'Events that wait for webhooks to take them, or are being sent',
        read: () => [{ value: waiting() }],
      },
      {
        name: 'sluice_webhook_questions_total',
        kind: 'counter',
        help: 'Questions to admission webhooks by what came of them; down: no answer that can be used; unasked: too many at a time',
        labels: ['result'],
        read: () => [...this.questions].map(([result, value]) => ({ labels: { result }, value })),
      },
      {
        name: 'sluice_webhook_question_seconds',
        kind: 'histogram',
        help: 'From a question to an admission webhook to its answer, or to giving up',
        read: (): { value: HistogramValue }[] => [{ value: this.questionTimes.value() }],
      },
    ];
  }

  private count(result: QuestionResult): void {
    this.questions.set(result, (this.questions.get(result) ?? 0) + 1);
  }
}
