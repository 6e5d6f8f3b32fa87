import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingQualitiesOf } from './missing-qualities.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const account = (rungs: unknown): { status: number; body: string } => ({ status: 200, body: JSON.stringify({ rungs }) });

describe('missing qualities', () => {
  it('are the pictures that are refused or failed, with the reason', () => {
    const rungs = [
      { name: '720p', kind: 'video', state: 'running' },
      { name: '480p', kind: 'video', state: 'refused', reason: "the server's limit of 1 transcoding tasks is reached" },
      { name: '360p', kind: 'video', state: 'failed' },
      { name: 'opus', kind: 'audio', state: 'refused', reason: 'x' },
    ];
    expect(missingQualitiesOf(account(rungs))).toEqual([
      { label: '480p', reason: "the server's limit of 1 transcoding tasks is reached" },
      { label: '360p', reason: 'it is not made for now' },
    ]);
  });

  it('are none where the API does not tell', () => {
    expect(missingQualitiesOf(undefined)).toEqual([]);
    expect(missingQualitiesOf({ status: 401, body: account([{ name: 'a', kind: 'video', state: 'failed' }]).body })).toEqual([]);
  });

  it('takes anything', () => {
    fc.assert(
      fc.property(fc.json(), fc.anything(), (body, rungs) => {
        missingQualitiesOf({ status: 200, body });
        missingQualitiesOf({ status: 200, body: JSON.stringify({ rungs }) ?? '' });
      }),
      { numRuns },
    );
  });
});
