import type { MetricSource, Thumbnails } from '../io/mod.ts';

/** What the pictures of streams cost and how they went. */
export function thumbnailMetrics(thumbnails: Thumbnails): readonly MetricSource[] {
  return [
    {
      name: 'sluice_thumbnails_total',
      kind: 'counter',
      help: 'Thumbnails by what came of them',
      labels: ['result'],
      read: () => {
        const { made, failed, crashed, refused } = thumbnails.stats();
        return Object.entries({ made, failed, crashed, refused }).map(([result, value]) => ({ labels: { result }, value }));
      },
    },
    {
      name: 'sluice_thumbnails_processes_total',
      kind: 'counter',
      help: 'Processes that were started to make thumbnails',
      read: () => [{ value: thumbnails.stats().starts }],
    },
  ];
}
