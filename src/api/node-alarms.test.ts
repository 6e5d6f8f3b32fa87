import { describe, expect, it } from 'vitest';
import type { RecordingState } from '../recording/mod.ts';
import { nodeAlarms } from './overview.ts';
import { transcodingReport } from './transcoding.ts';

const alarms = (states: readonly (readonly [string, RecordingState])[]) =>
  nodeAlarms('n1', transcodingReport(undefined), [], [], new Map(states));

describe('the alarms of a node', () => {
  it('say what is not recorded, and why', () => {
    expect(
      alarms([
        ['live/one', 'disk-full'],
        ['live/two', 'recording'],
        ['live/three', 'waiting'],
      ]),
    ).toEqual([
      {
        kind: 'recording-failing',
        severity: 'serious',
        node: 'n1',
        stream: 'live/one',
        message: 'It is not recorded: there is no room on the disk of the node',
      },
    ]);
  });
});
