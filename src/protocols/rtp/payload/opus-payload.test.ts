import { describe, expect, it } from 'vitest';
import { hex, opusSamples } from '../../../media/codecs/samples.fixture.ts';
import { depacketize } from './depacketizer.ts';
import { copiesOf, tracks } from './frames.fixture.ts';
import { createPacketizer } from './packetizer.ts';

describe('Opus', () => {
  it('goes through as it is', () => {
    const payload = opusSamples.packet20Ms;
    const payloads = copiesOf(createPacketizer(tracks.opus, 1_000).packetize({ payload, isKeyframe: true }));
    expect(payloads).toEqual([payload]);
    expect(depacketize('opus', payloads)).toEqual({ payload, isKeyframe: true });
  });

  it.each([
    ['two packets', ['fcfffe', 'fcfffe']],
    ['a packet of no duration', ['ff00']],
    ['a packet of more than 120 ms', ['ff3f']],
  ])('refuses %s', (_, payloads) => {
    expect(() => depacketize('opus', payloads.map(hex))).toThrow(expect.objectContaining({ code: 'rtp.bad-opus-payload' }));
  });
});
