import { describe, expect, it } from 'vitest';
import { Metrics } from '../metrics.ts';
import { HookCounts } from './hook-counts.ts';

describe('the metrics of webhooks', () => {
  it('count events and questions by what came of them, and say how many events wait and how long answers took', async () => {
    const counts = new HookCounts();
    const told = async (): Promise<string[]> =>
      String(await new Metrics(counts.metrics(() => 3)).text())
        .split('\n')
        .filter((line) => line.startsWith('sluice_') && !line.endsWith(' 0'));
    expect(await told()).toEqual(['sluice_webhook_queue 3']);
    for (const result of ['retrying', 'retrying', 'delivered', 'dead', 'dropped'] as const) counts.delivery(result);
    counts.question('allowed', 4);
    counts.question('refused', 200);
    counts.question('down', 6000);
    counts.unasked();
    expect(await told()).toEqual(
      expect.arrayContaining([
        'sluice_webhook_deliveries_total{result="delivered"} 1',
        'sluice_webhook_deliveries_total{result="retrying"} 2',
        'sluice_webhook_deliveries_total{result="dead"} 1',
        'sluice_webhook_deliveries_total{result="dropped"} 1',
        'sluice_webhook_questions_total{result="allowed"} 1',
        'sluice_webhook_questions_total{result="refused"} 1',
        'sluice_webhook_questions_total{result="down"} 1',
        'sluice_webhook_questions_total{result="unasked"} 1',
        'sluice_webhook_question_seconds_bucket{le="0.005"} 1',
        'sluice_webhook_question_seconds_bucket{le="0.25"} 2',
        'sluice_webhook_question_seconds_count 3',
      ]),
    );
  });
});
