import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs, wallMs } from '../../core/mod.ts';
import { encodeSdesItem, parseRtcp, RtcpWriter, writeRtpPacket } from '../rtp/mod.ts';
import { vp8Payload } from '../rtp/receive/publisher.fixture.ts';
import { PublishSession } from './publish-session.ts';
import { audioMedia, EXTENSIONS, OUR_WALL_MS, PublishConversation, videoMedia } from './simulated-publisher.fixture.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const simulcast = { ...videoMedia, rids: ['f', 'h', 'q'] };
const layers = simulcast.rids.map((rid, index) => ({
  media: simulcast,
  ssrc: 100 + index,
  rtxSsrc: 200 + index,
  rid,
  isNamed: true,
  keyframeEachMs: 2_000,
}));
const sound = { media: audioMedia, ssrc: 50, isNamed: true };
const oneVideo = { media: videoMedia, ssrc: 100, rtxSsrc: 200, isNamed: false, keyframeEachMs: 1_000 };

describe('PublishSession', () => {
  it('gets sound and three layers over a lossy network, repaired by RTX', () => {
    const scene = new PublishConversation({
      network: { delayMs: 25, jitterMs: 6, loss: 0.03, duplicates: 0.01 },
      media: [audioMedia, simulcast],
      encoders: [...layers, sound],
    });
    scene.play(12_000);
    for (const { rid, ssrc } of layers) {
      const frames = scene.framesOf(rid);
      const sent = scene.encoders.find(({ options }) => options.ssrc === ssrc)?.framesSent ?? 0;
      expect(frames.length / sent).toBeGreaterThan(0.985);
      expect(frames.every(({ payloads }) => payloads.length === 3)).toBe(true);
      expect(frames.every(({ pts }, index) => index === 0 || pts > (frames[index - 1]?.pts ?? 0))).toBe(true);
      expect(frames[0]?.layer).toEqual({ kind: 'video', codec: 'vp8', rid, preference: ssrc - 100, layerCount: 3 });
    }
    expect(scene.framesOf('', 'audio').length).toBeGreaterThan(560);
    const stats = scene.session.stats();
    expect(stats.layers).toHaveLength(4);
    expect(stats.layers.filter(({ kind }) => kind === 'video').every(({ repaired }) => repaired > 10)).toBe(true);
    expect(stats.malformedPackets).toBe(0);
  });

  it('brings sound and pictures into step by their sender reports', () => {
    const scene = new PublishConversation({
      network: { jitterMs: 4 },
      media: [audioMedia, simulcast],
      encoders: [...layers.map((layer, index) => ({ ...layer, encodeMs: 60 + 20 * index })), { ...sound, encodeMs: 5, fromMs: 400 }],
    });
    scene.play(12_000);
    const offset = ({ pts, sentMs }: { pts: number; sentMs: number }, rate: number) => (pts * 1_000) / rate - sentMs;
    const audio = offset(scene.framesOf('', 'audio').at(-1) ?? { pts: 0, sentMs: 0 }, 48_000);
    for (const { rid } of layers) {
      const frame = scene.framesOf(rid).at(-1) ?? { pts: 0, sentMs: 0 };
      expect(Math.abs(offset(frame, 90_000) - audio)).toBeLessThan(20);
    }
    // The pictures are moved to where the sound is, which is never stretched, though they were there first.
    const times = scene.framesOf('', 'audio').map(({ pts }) => pts);
    expect(new Set(times.slice(1).map((pts, index) => pts - (times[index] ?? 0)))).toEqual(new Set([960]));
  });

  it('tells capture times by our clock, sound and pictures alike, as soon as the publisher has reported', () => {
    const scene = new PublishConversation({ network: { jitterMs: 8 }, media: [audioMedia, videoMedia], encoders: [oneVideo, sound] });
    scene.play(6_000);
    const frames = [...scene.framesOf(''), ...scene.framesOf('', 'audio')];
    expect(frames.filter(({ at }) => at < 500).every(({ captureMs }) => captureMs === undefined)).toBe(true);
    for (const { captureMs, sentMs } of frames.filter(({ at }) => at > 700)) {
      // Late by the way of the fastest report.
      expect((captureMs ?? 0) - OUR_WALL_MS - sentMs).toBeGreaterThanOrEqual(24);
      expect((captureMs ?? 0) - OUR_WALL_MS - sentMs).toBeLessThan(35);
    }
  });

  it.each([true, false])('sends feedback without a report only where reduced-size RTCP was agreed on: %s', (usesReducedSize) => {
    const scene = new PublishConversation({
      network: { loss: 0.05 },
      media: [audioMedia, simulcast],
      encoders: [...layers, sound],
      session: { usesReducedSize },
    });
    scene.play(1_000);
    scene.session.requestKeyframe(monotonicMs(scene.now));
    scene.play(3_000);
    for (const kind of ['nack', 'picture-loss-indication', 'transport-feedback']) {
      const compounds = scene.sent.filter(({ packets }) => packets.some((packet) => packet.kind === kind));
      expect(compounds.length).toBeGreaterThan(0);
      for (const { packets } of compounds) {
        const kinds = packets.map((packet) => packet.kind);
        if (usesReducedSize) expect(kinds[0]).toBe(kind);
        else expect(kinds.slice(0, 3)).toEqual(['receiver-report', 'source-description', kind]);
      }
    }
  });

  it('reports about every stream, and feeds back all arrivals', () => {
    const scene = new PublishConversation({ media: [audioMedia, simulcast], encoders: [...layers, sound] });
    scene.play(2_500);
    const report = scene.sent.findLast(({ packets }) => packets[0]?.kind === 'receiver-report')?.packets;
    expect(report).toMatchObject([{ ssrc: 9 }, { kind: 'source-description', chunks: [{ cname: 'server' }] }]);
    expect(report?.[0]).toHaveProperty('reports.length', 4);
    const fed = scene.sent.flatMap(({ packets }) =>
      packets.flatMap((packet) =>
        packet.kind === 'transport-feedback' ? [packet.arrivalsUs.filter((us) => !Number.isNaN(us)).length] : [],
      ),
    );
    expect(fed.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(750);
  });

  describe('finds out what an SSRC is', () => {
    const loss = { loss: 0.03 };
    it('by mid and rid, and of its retransmissions by the repaired rid', () => {
      const scene = new PublishConversation({ network: loss, media: [audioMedia, simulcast], encoders: layers });
      scene.play(3_000);
      expect(scene.session.stats().layers.map(({ rid, repaired }) => [rid, repaired > 0])).toEqual([
        ['f', true],
        ['h', true],
        ['q', true],
      ]);
    });

    it('by the sources of the offer', () => {
      const media = { ...videoMedia, sources: [{ ssrc: 100, rtxSsrc: 200 }] };
      // The same payload types: only the offer tells them apart.
      const other = { ...videoMedia, mid: '2', sources: [{ ssrc: 101, rtxSsrc: 201 }] };
      const encoders = [100, 101].map((ssrc) => ({ ...oneVideo, media: ssrc === 100 ? media : other, ssrc, rtxSsrc: ssrc + 100 }));
      const scene = new PublishConversation({ network: loss, media: [other, media], encoders });
      scene.play(3_000);
      expect(scene.session.stats().layers.map(({ repaired }) => repaired > 0)).toEqual([true, true]);
      expect(scene.session.stats().unknownPackets).toBe(0);
    });

    it('by its payload type alone', () => {
      const scene = new PublishConversation({
        network: loss,
        media: [audioMedia, videoMedia],
        encoders: [oneVideo, { ...sound, isNamed: false }],
      });
      scene.play(3_000);
      expect(
        scene.session
          .stats()
          .layers.map(({ kind }) => kind)
          .sort(),
      ).toEqual(['audio', 'video']);
      expect(scene.session.stats().layers.find(({ kind }) => kind === 'video')?.repaired).toBeGreaterThan(0);
      expect(scene.framesOf('').length).toBeGreaterThan(80);
    });

    it('and refuses rids, mids and payload types that were not agreed on', () => {
      const scene = new PublishConversation({
        media: [simulcast],
        encoders: [
          { ...oneVideo, ssrc: 1, rid: 'x', isNamed: true, media: simulcast },
          { ...oneVideo, ssrc: 2, isNamed: false, media: simulcast },
          { ...oneVideo, ssrc: 3, rid: 'f', isNamed: true, media: { ...simulcast, mid: '7' } },
          { ...oneVideo, ssrc: 4, rid: 'f', isNamed: true, media: { ...simulcast, payloadType: 120 } },
        ],
      });
      scene.play(500);
      expect(scene.session.stats()).toMatchObject({ layers: [], unknownPackets: expect.any(Number) });
      expect(scene.session.stats().unknownPackets).toBeGreaterThan(100);
      expect(scene.frames).toEqual([]);
    });

    it('and takes a rid for nothing where no simulcast was agreed on', () => {
      const scene = new PublishConversation({ media: [videoMedia], encoders: [{ ...oneVideo, rid: '../etc', isNamed: true }] });
      scene.play(500);
      expect(scene.session.stats().layers.map(({ rid }) => rid)).toEqual(['']);
    });
  });

  it('goes on with an encoder that begins anew with another SSRC', () => {
    const again = { ...oneVideo, ssrc: 300, rtxSsrc: 400, fromMs: 3_100 };
    const scene = new PublishConversation({
      network: { loss: 0.03 },
      media: [audioMedia, videoMedia],
      encoders: [{ ...oneVideo, untilMs: 3_000 }, again, sound],
    });
    scene.play(8_000);
    const frames = scene.framesOf('');
    expect(frames.at(-1)?.at).toBeGreaterThan(7_900);
    expect(frames.every(({ pts }, index) => index === 0 || pts > (frames[index - 1]?.pts ?? 0))).toBe(true);
    const [video] = scene.session.stats().layers.filter(({ kind }) => kind === 'video');
    expect(video?.repaired).toBeGreaterThan(0);
    // In step with the sound again.
    const sounds = scene.framesOf('', 'audio').at(-1);
    const last = frames.at(-1);
    const skew = (last?.pts ?? 0) / 90 - (last?.sentMs ?? 0) - ((sounds?.pts ?? 0) / 48 - (sounds?.sentMs ?? 0));
    expect(Math.abs(skew)).toBeLessThan(20);
  });

  it('keeps to one of two SSRCs that send the same at the same time', () => {
    const scene = new PublishConversation({ media: [videoMedia], encoders: [oneVideo, { ...oneVideo, ssrc: 101 }] });
    scene.play(2_000);
    expect(scene.session.stats().layers).toHaveLength(1);
    expect(scene.framesOf('').length).toBeGreaterThan(55);
    expect(scene.session.stats().unknownPackets).toBeGreaterThan(150);
  });

  it('takes no more than eight streams', () => {
    const rids = Array.from({ length: 12 }, (_, index) => `r${index}`);
    const media = { ...videoMedia, rids };
    const encoders = rids.map((rid, index) => ({ ...oneVideo, media, rid, ssrc: 500 + index, isNamed: true }));
    const scene = new PublishConversation({ media: [media], encoders });
    scene.play(500);
    expect(scene.session.stats().layers).toHaveLength(8);
    expect(scene.session.stats().unknownPackets).toBeGreaterThan(0);
  });

  describe('asks for keyframes', () => {
    it('not while they come by themselves', () => {
      const scene = new PublishConversation({ media: [simulcast], encoders: layers });
      scene.play(8_000);
      expect(scene.keyframesAsked).toEqual([]);
    });

    it('not of encoders that have only just begun', () => {
      const encoders = layers.map((layer) => ({ ...layer, fromMs: 30_000 }));
      const scene = new PublishConversation({ network: { jitterMs: 4 }, media: [simulcast], encoders });
      scene.play(32_000);
      expect(scene.keyframesAsked).toEqual([]);
    });

    it('of all layers in one compound when none has come for the interval', () => {
      const scene = new PublishConversation({ media: [simulcast], encoders: layers.map(({ keyframeEachMs: _, ...layer }) => layer) });
      scene.play(7_000);
      expect(scene.keyframesAsked.map(([, ssrcs]) => ssrcs)).toEqual([
        [100, 101, 102],
        [100, 101, 102],
        [100, 101, 102],
      ]);
      const [first, second] = scene.keyframesAsked;
      expect(first?.[0]).toBeGreaterThanOrEqual(2_100);
      expect((second?.[0] ?? 0) - (first?.[0] ?? 0)).toBeGreaterThanOrEqual(2_100);
      const keyframes = scene.framesOf('f').filter(({ isKeyframe }) => isKeyframe);
      expect(keyframes).toHaveLength(4);
    });

    it('when the preferred layer has none, whatever the others have; and not for one that is switched off', () => {
      const [full, half] = layers.map(({ keyframeEachMs: _, ...layer }) => layer);
      const encoders = [
        { ...full, untilMs: 5_000 },
        { ...half, keyframeEachMs: 500 },
      ] as typeof layers;
      const scene = new PublishConversation({ media: [simulcast], encoders });
      scene.play(5_000);
      expect(scene.keyframesAsked).toHaveLength(2);
      scene.play(15_000);
      expect(scene.keyframesAsked.filter(([at]) => at > 7_500)).toEqual([]);
    });

    it('once for wishes that come together, and once more for a later one', () => {
      const scene = new PublishConversation({ media: [simulcast], encoders: layers });
      scene.play(1_000);
      for (let wish = 0; wish < 5; wish++) scene.session.requestKeyframe(monotonicMs(scene.now));
      scene.play(1_100);
      scene.session.requestKeyframe(monotonicMs(scene.now));
      scene.play(1_900);
      expect(scene.keyframesAsked.map(([at]) => at)).toEqual([1_000, 1_500]);
    });

    it('of the layer whose frame is broken, but never of sound', () => {
      const scene = new PublishConversation({ media: [audioMedia, simulcast], encoders: [...layers, sound] });
      scene.play(1_000);
      for (const layer of [scene.framesOf('h')[0]?.layer, scene.framesOf('', 'audio')[0]?.layer])
        if (layer !== undefined) scene.session.layerBroken(layer, monotonicMs(scene.now));
      scene.play(1_900);
      expect(scene.keyframesAsked).toEqual([[1_000, [101]]]);
    });

    it('not without pictures', () => {
      const scene = new PublishConversation({ media: [audioMedia], encoders: [sound] });
      scene.session.requestKeyframe(monotonicMs(0));
      scene.play(3_000);
      expect(scene.keyframesAsked).toEqual([]);
    });
  });

  it('has nothing to do too soon and nothing that is never done', () => {
    const scene = new PublishConversation({
      network: { loss: 0.05, jitterMs: 5 },
      media: [audioMedia, simulcast],
      encoders: [...layers, sound],
      session: { keyframeIntervalMs: 100 },
    });
    for (let until = 100; until <= 4_000; until += 100) {
      scene.play(until);
      expect(scene.session.wakeAt).toBeGreaterThanOrEqual(scene.now - 1);
    }
  });
});

describe('hostile packets', () => {
  const session = (): { session: PublishSession; sent: () => number } => {
    let bytes = 0;
    const made = new PublishSession(
      {
        rtcp: (compound) => {
          parseRtcp(compound);
          bytes += compound.length;
        },
        frame: () => undefined,
      },
      {
        media: [audioMedia, simulcast],
        extensions: EXTENSIONS,
        localSsrc: 9,
        cname: 'server',
        usesReducedSize: true,
        keyframeIntervalMs: 2_000,
      },
      monotonicMs(0),
    );
    return { session: made, sent: () => bytes };
  };
  const rtp = (ssrc: number, payloadType: number, rid: string, sequenceNumber = 1): Uint8Array =>
    writeRtpPacket({
      marker: true,
      payloadType,
      sequenceNumber,
      timestamp: 90_000,
      ssrc,
      payload: vp8Payload(1, 0, true),
      extensions: [
        { id: EXTENSIONS.mid, value: encodeSdesItem('1') },
        { id: payloadType === 97 ? EXTENSIONS.repairedRid : EXTENSIONS.rid, value: encodeSdesItem(rid) },
        { id: EXTENSIONS.transportCc, value: Uint8Array.of(0, sequenceNumber & 0xff) },
      ],
    });
  const rtcp = new RtcpWriter()
    .senderReport(100, wallMs(1_800_000_000_000), 7, 1, 1)
    .sourceDescription(100, 'x')
    .goodbye([100])
    .finish()
    .slice();
  const samples = [rtp(100, 96, 'f'), rtp(101, 96, 'h'), rtp(200, 97, 'f'), rtcp];

  it('make it neither throw nor talk without end', () => {
    const change = fc.record({ at: fc.nat({ max: 80 }), value: fc.nat({ max: 255 }) });
    const packet = fc.record({
      sample: fc.constantFrom(...samples),
      changes: fc.array(change, { maxLength: 4 }),
      length: fc.option(fc.nat({ max: 250 })),
      stepMs: fc.nat({ max: 700 }),
      isRtcp: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 30 }), (packets) => {
        const { session: made, sent } = session();
        let now = 0;
        for (const { sample, changes, length, stepMs, isRtcp } of packets) {
          const bytes = sample.slice(0, length ?? sample.length);
          for (const { at, value } of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          now += stepMs;
          if (isRtcp) made.receiveRtcp(bytes, monotonicMs(now), wallMs(now));
          else made.receiveRtp(bytes, now * 1_000, monotonicMs(now));
          made.tick(monotonicMs(now));
        }
        expect(made.stats().layers.length).toBeLessThanOrEqual(8);
        expect(sent()).toBeLessThan(20_000);
      }),
      { numRuns },
    );
  });

  it('of ever new SSRCs do not take the place of what is sent, nor grow', () => {
    const { session: made } = session();
    for (let n = 0; n < 3_000; n++) {
      const now = monotonicMs(n);
      made.receiveRtp(rtp(100, 96, 'f', n & 0xffff), n * 1_000, now);
      made.receiveRtp(rtp(10_000 + n, 96, 'f'), n * 1_000, now);
      made.receiveRtp(rtp(20_000 + n, 97, 'f'), n * 1_000, now);
    }
    expect(made.stats().layers).toHaveLength(1);
    expect(made.stats().layers[0]?.packets).toBe(3_000);
    expect(made.stats().unknownPackets).toBe(3_000);
  });

  it('are counted', () => {
    const { session: made } = session();
    made.receiveRtp(Uint8Array.of(1, 2, 3), 0, monotonicMs(0));
    made.receiveRtcp(Uint8Array.of(0x80, 200, 0, 9), monotonicMs(0), wallMs(0));
    expect(made.stats()).toMatchObject({ malformedPackets: 2, unknownPackets: 0 });
  });
});
