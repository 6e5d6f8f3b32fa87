import { describe, expect, it } from 'vitest';
import { type AmfValue, amfObject, encodeAmf0 } from '../../containers/mod.ts';
import { decodeCommand, fourCcsOf } from './command.ts';
import { MessageType } from './message.ts';

const answer = (...values: AmfValue[]): ReadonlySet<string> =>
  fourCcsOf(decodeCommand(MessageType.commandAmf0, encodeAmf0('_result', 1, ...values)));

describe("an answer to connect names the server's codecs", () => {
  it('nowhere when it knows nothing of Enhanced RTMP', () => {
    expect([...answer(amfObject({ fmsVer: 'FMS/3,0,1,123' }), amfObject({ code: 'NetConnection.Connect.Success' }))]).toEqual([]);
    expect([...answer(null)]).toEqual([]);
  });

  it('in a list, or in maps, in either of its objects', () => {
    expect([...answer(amfObject({ fourCcList: ['hvc1', 7, 'av01'] }), null)]).toEqual(['hvc1', 'av01']);
    const maps = amfObject({ videoFourCcInfoMap: amfObject({ '*': 4 }), audioFourCcInfoMap: amfObject({ Opus: 4 }) });
    expect([...answer(null, maps)]).toEqual(['*', 'Opus']);
  });
});
