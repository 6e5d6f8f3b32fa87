import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { answerPlay, type PlayTrack } from './answer-play.ts';
import { answerPublish } from './answer-publish.ts';
import { chromiumRecvonly, crlf } from './chromium-play-offer.fixture.ts';
import { chromiumAudioOnly, chromiumSimulcast } from './chromium-publish-offer.fixture.ts';
import { firefoxRecvonly, gstreamerSendonly, obsSendonly, safariSendonly } from './client-offers.fixture.ts';
import { offerPlay, offerPublish } from './offers.ts';
import { parseSessionDescription } from './parse-session.ts';
import { readAnswer } from './read-answer.ts';
import type { SessionDescription } from './session-description.ts';
import { writeSessionDescription } from './write-session.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const transport = {
  ice: { ufrag: 'ourUfrag', pwd: 'ourPasswordOf24IceChars+' },
  fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
  candidates: ['candidate:u0 1 udp 2130706431 127.0.0.1 8189 typ host'],
  sessionId: '42',
};
const shared = { cname: 'sluice', streamId: 'live' };
const video: PlayTrack = { codec: 'h264', h264ProfileLevelId: '42c01f', ssrc: 11, rtxSsrc: 12, trackId: 'video', ...shared };
const audio: PlayTrack = { codec: 'opus', ssrc: 13, trackId: 'audio', ...shared };
const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const ABS_SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
const PLAYOUT_DELAY = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';

const publish = (text: string) => answerPublish(parseSessionDescription(text), { transport });
const play = (text: string, tracks: readonly PlayTrack[] = [video, audio]) =>
  answerPlay(parseSessionDescription(text), tracks, { transport });
const coded = (code: string) => expect.objectContaining({ code });
const byKind = (answer: ReturnType<typeof play>, kind: string) => answer.negotiated.media.find((media) => media.kind === kind);

describe('parseSessionDescription', () => {
  it.each(Object.entries({ chromiumRecvonly, chromiumSimulcast, firefoxRecvonly, safariSendonly, obsSendonly, gstreamerSendonly }))(
    'keeps what it knows of %s through writing and parsing',
    (_name, text) => {
      const session = parseSessionDescription(text);
      expect(parseSessionDescription(writeSessionDescription(session))).toEqual(session);
    },
  );

  it('takes LF alone and leaves unknown lines off', () => {
    const session = parseSessionDescription(gstreamerSendonly.replaceAll('\r\n', '\n').replace('t=0 0', 't=0 0\nz=what\na=never-heard:of'));
    expect(session.media[0]?.payloadFormats[0]).toMatchObject({ payloadType: 96, name: 'H264' });
  });

  it.each([
    ['nothing', ''],
    ['no origin', 'v=0\r\ns=-\r\n'],
    ['a control character', gstreamerSendonly.replace('a=setup', 'a=mid:x\ry\r\na=setup')],
    ['a bad port', gstreamerSendonly.replace('m=video 9', 'm=video 99999')],
    ['a bad fragment', gstreamerSendonly.replace(/ice-ufrag:\S+/, 'ice-ufrag:a b')],
    ['a short password', gstreamerSendonly.replace(/ice-pwd:\S+/, 'ice-pwd:abc')],
    ['a bad rtpmap', gstreamerSendonly.replace('rtpmap:96 H264/90000', 'rtpmap:200 H264/90000')],
    ['the same mid twice', chromiumRecvonly.replace('a=mid:1', 'a=mid:0')],
    ['too many sections', gstreamerSendonly + 'm=audio 9 RTP/AVP 0\r\n'.repeat(40)],
    ['too many candidates', gstreamerSendonly + 'a=candidate:1 1 udp 1 127.0.0.1 1 typ host\r\n'.repeat(400)],
    ['too many lines', gstreamerSendonly + 'a=x\r\n'.repeat(3000)],
    ['too much text', `${gstreamerSendonly}a=${'x'.repeat(70_000)}`],
  ])('refuses %s', (_name, text) => {
    expect(() => parseSessionDescription(text)).toThrow(coded('sdp.bad'));
  });
});

describe('answerPublish', () => {
  it("accepts Chromium's simulcast offer: H.264 with RTX, Opus, three layers", () => {
    const { negotiated, text, session } = publish(chromiumSimulcast);
    const [sound, picture] = negotiated.media;
    expect(sound).toMatchObject({ kind: 'audio', codec: 'opus', payloadType: 111, direction: 'recvonly', mid: '0', rids: [] });
    expect(picture).toMatchObject({ codec: 'h264', direction: 'recvonly', mid: '1', rids: ['h', 'm', 'l'] });
    expect(picture?.parameters.get('packetization-mode')).toBe('1');
    expect(picture?.rtxPayloadType).toBe((picture?.payloadType ?? 0) + 1);
    expect(picture?.feedback).toEqual(['nack', 'nack pli', 'ccm fir', 'transport-cc', 'goog-remb']);
    expect(picture?.extensions.has(TRANSPORT_CC)).toBe(true);
    expect(negotiated.transport).toMatchObject({ dtlsRole: 'server', iceLite: false });
    expect(negotiated.transport.fingerprints[0]).toMatchObject({ algorithm: 'sha-256' });
    expect(session.iceLite).toBe(true);
    for (const line of ['a=simulcast:recv h;m;l', 'a=rid:m recv', 'a=group:BUNDLE 0 1', 'a=setup:passive', 'a=ice-lite']) {
      expect(text).toContain(`${line}\r\n`);
    }
    expect(text.match(/a=candidate:/g)).toHaveLength(1);
  });

  it('takes the first layers when there are more than wanted', () => {
    const offer = parseSessionDescription(chromiumSimulcast);
    expect(answerPublish(offer, { transport, simulcastLayersMax: 2 }).negotiated.media[1]?.rids).toEqual(['h', 'm']);
    const single = answerPublish(offer, { transport, simulcastLayersMax: 1 });
    expect(single.negotiated.media[1]?.rids).toEqual([]);
    expect(single.text).not.toContain('a=simulcast');
  });

  it('follows our preference of codecs', () => {
    const offer = parseSessionDescription(chromiumSimulcast);
    expect(answerPublish(offer, { transport, videoCodecs: ['av1', 'vp8'] }).negotiated.media[1]?.codec).toBe('av1');
  });

  it('answers Safari, OBS and GStreamer', () => {
    expect(publish(safariSendonly).negotiated.media[1]).toMatchObject({
      codec: 'h264',
      payloadType: 96,
      sources: [{ ssrc: 2001, rtxSsrc: 2002 }],
    });
    const obs = publish(obsSendonly).negotiated;
    expect(obs.media.map(({ sources }) => sources[0]?.ssrc)).toEqual([1, 2]);
    expect(obs.transport).toMatchObject({ ice: { ufrag: 'A3qs' }, endOfCandidates: true });
    expect(obs.transport.candidates).toEqual(['candidate:1 1 UDP 2122317823 192.0.2.7 51000 typ host']);
    const gstreamer = publish(gstreamerSendonly);
    expect(gstreamer.negotiated.media).toHaveLength(1);
    expect(gstreamer.text).not.toContain('a=group');
    expect(gstreamer.text).toContain('a=rtcp-mux-only');
  });

  it('rejects data channels and what is only received by port 0', () => {
    const data = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n';
    const received = 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\na=recvonly\r\n';
    const { negotiated, text } = publish(chromiumSimulcast.replace('BUNDLE 0 1', 'BUNDLE 0 1 2 3') + data + received);
    expect(negotiated.rejected.map(({ mid, reason }) => [mid, reason])).toEqual([
      ['2', 'unsupported'],
      ['3', 'direction'],
    ]);
    expect(text).toContain('a=group:BUNDLE 0 1\r\n');
    expect(text).toContain('m=application 0 UDP/DTLS/SCTP webrtc-datachannel');
  });

  it('refuses all of an offer with a second track of a kind, or with a track in none of our codecs', () => {
    const second = chromiumSimulcast.slice(chromiumSimulcast.indexOf('m=video')).replace('a=mid:1', 'a=mid:2');
    expect(() => publish(chromiumSimulcast.replace('BUNDLE 0 1', 'BUNDLE 0 1 2') + second)).toThrow(
      expect.objectContaining({ code: 'sdp.surplus-track' }),
    );
    expect(() => publish(chromiumSimulcast.replace(' opus/', ' speex/'))).toThrow(expect.objectContaining({ code: 'sdp.no-usable-codec' }));
  });

  it('becomes the DTLS client of a passive offerer', () => {
    const { negotiated, text } = publish(obsSendonly.replace('a=setup:actpass', 'a=setup:passive'));
    expect(negotiated.transport.dtlsRole).toBe('client');
    expect(text).toContain('a=setup:active');
  });

  it.each([
    ['sdp.no-usable-codec', chromiumRecvonly],
    ['sdp.no-usable-codec', gstreamerSendonly.replace('H264', 'H261')],
    ['sdp.no-bundle', chromiumSimulcast.replace('a=group:BUNDLE 0 1\r\n', '')],
    ['sdp.no-bundle', chromiumSimulcast.replace('BUNDLE 0 1', 'BUNDLE 0')],
    ['sdp.no-rtcp-mux', chromiumSimulcast.replaceAll('a=rtcp-mux\r\n', '')],
    ['sdp.no-fingerprint', gstreamerSendonly.replace(/a=fingerprint.*\r\n/, '')],
    ['sdp.no-fingerprint', gstreamerSendonly.replace('sha-256 ', 'sha-1 ')],
    ['sdp.no-fingerprint', gstreamerSendonly.replace('sha-256 39:', 'sha-256 ')],
    ['sdp.no-ice', gstreamerSendonly.replace(/a=ice-ufrag.*\r\n/, '')],
    ['sdp.bad', gstreamerSendonly.replace('setup:actpass', 'setup:holdconn')],
  ])('refuses with %s', (code, text) => {
    expect(() => publish(text)).toThrow(coded(code));
  });
});

describe('answerPlay', () => {
  it("gives Chromium both tracks, with the offer's payload types, RTX, and the extensions it can take", () => {
    const answer = play(chromiumRecvonly);
    expect(byKind(answer, 'audio')).toMatchObject({ codec: 'opus', payloadType: 111, direction: 'sendonly', trackIndex: 1 });
    expect(byKind(answer, 'video')).toMatchObject({ payloadType: 108, rtxPayloadType: 109, trackIndex: 0, h264Match: 'exact' });
    expect(byKind(answer, 'video')?.extensions).toEqual(
      new Map([
        [ABS_SEND_TIME, 2],
        [TRANSPORT_CC, 3],
        [PLAYOUT_DELAY, 5],
        [MID, 4],
      ]),
    );
    for (const line of [
      'a=ssrc-group:FID 11 12',
      'a=ssrc:11 cname:sluice',
      'a=msid:live video',
      'a=fmtp:109 apt=108',
      'a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    ]) {
      expect(answer.text).toContain(`${line}\r\n`);
    }
  });

  it.each([
    ['42e01f', 108, 'exact'],
    ['42c028', 108, 'exact'],
    ['42001e', 102, 'exact'],
    ['4d0028', 116, 'exact'],
    ['640028', 41, 'compatible'],
    ['6e0028', 102, 'unlisted'],
  ])('finds for a stream of %s payload type %i: %s', (h264ProfileLevelId, payloadType, h264Match) => {
    expect(byKind(play(chromiumRecvonly, [{ ...video, h264ProfileLevelId }]), 'video')).toMatchObject({ payloadType, h264Match });
  });

  it('gives Firefox an extension it only receives, and stereo when it asks', () => {
    const answer = play(firefoxRecvonly);
    expect(byKind(answer, 'video')).toMatchObject({ payloadType: 126, rtxPayloadType: 127 });
    expect(byKind(answer, 'video')?.extensions.get(PLAYOUT_DELAY)).toBe(6);
    expect(answer.text).toContain(`a=extmap:6/sendonly ${PLAYOUT_DELAY}`);
    expect(answer.text).toContain('a=fmtp:109 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1');
  });

  it('takes the next track of a kind when the first cannot be decoded', () => {
    const hevc: PlayTrack = { ...video, codec: 'hevc' };
    expect(byKind(play(chromiumRecvonly, [hevc, video]), 'video')?.trackIndex).toBe(1);
    const answer = play(chromiumRecvonly, [hevc, audio]);
    expect(answer.negotiated.rejected).toEqual([{ sectionIndex: 1, mid: '1', kind: 'video', reason: 'no-usable-codec' }]);
    expect(() => play(chromiumRecvonly, [hevc])).toThrow(coded('sdp.no-usable-codec'));
  });

  it('gives VP9 only in the profile it has', () => {
    const payloadType = (profile: number) => byKind(play(chromiumRecvonly, [{ ...video, codec: 'vp9', profile }]), 'video')?.payloadType;
    expect([payloadType(0), payloadType(2)]).toEqual([98, 100]);
  });

  it('leaves the transport in the section that the offer has it in, though nothing is sent in that', () => {
    const { session, negotiated, text } = play(chromiumRecvonly, [video]);
    expect(session.media.map(({ port, direction, candidates }) => [port, direction, candidates.length])).toEqual([
      [9, 'inactive', 1],
      [9, 'sendonly', 0],
    ]);
    expect(session.groups).toEqual([{ semantics: 'BUNDLE', mids: ['0', '1'] }]);
    expect(text).toContain('m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n');
    expect(negotiated.media.map(({ mid }) => mid)).toEqual(['1']);
    expect(negotiated.rejected).toEqual([{ sectionIndex: 0, mid: '0', kind: 'audio', reason: 'no-track' }]);
  });

  it('takes the transport of the offered bundle from where it is, when the rest is bundle-only', () => {
    const [head = '', sound = '', picture = ''] = chromiumRecvonly.split(/(?=m=)/);
    const bundleOnly = picture
      .replace('m=video 9', 'm=video 0')
      .replace('a=mid:1', 'a=mid:1\r\na=bundle-only')
      .replace(/a=(ice-|fingerprint|setup).*\r\n/g, '');
    const { negotiated } = play(head + sound + bundleOnly, [video]);
    expect(negotiated.media.map(({ mid }) => mid)).toEqual(['1']);
    expect(negotiated.transport).toMatchObject({ ice: { ufrag: 'HXL3' }, dtlsRole: 'server' });
  });

  it.each([
    ['is turned off by the offer', ['m=audio 9', 'm=audio 0']],
    ['is of a kind that is not known', ['m=audio 9', 'm=text 9']],
    ['has nothing but what is not known', ['m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126', 'm=audio 9 UDP/TLS/RTP/SAVPF 77']],
    ['stands elsewhere than the bundle', ['BUNDLE 0 1', 'BUNDLE 1']],
    ['is the second one of the bundle', ['BUNDLE 0 1', 'BUNDLE 1 0']],
    ['takes RTCP elsewhere', ['a=rtcp-mux\r\n', '']],
  ])('puts the transport into the first section that is used, where the other one %s', (_what, [from = '', to = '']) => {
    const { session } = play(chromiumRecvonly.replace(from, to), [video]);
    expect(session.media.map(({ port, candidates }) => [port, candidates.length])).toEqual([
      [0, 0],
      [9, 1],
    ]);
    expect(session.groups).toEqual([{ semantics: 'BUNDLE', mids: ['1'] }]);
  });

  it('puts the transport into the section that the offered bundle names first', () => {
    const { session } = play(chromiumRecvonly.replace('BUNDLE 0 1', 'BUNDLE 1 0'));
    expect(session.media.map(({ candidates }) => candidates.length)).toEqual([0, 1]);
    expect(session.groups).toEqual([{ semantics: 'BUNDLE', mids: ['1', '0'] }]);
  });

  it('answers nothing in a bundle of which it uses nothing', () => {
    const { session } = play(chromiumRecvonly.replace('BUNDLE 0 1', 'BUNDLE 0'), [video]);
    expect(session.media.map(({ port }) => port)).toEqual([0, 9]);
    expect(session.groups).toEqual([]);
  });

  it('gives nothing to who only sends', () => {
    expect(() => play(chromiumAudioOnly)).toThrow(coded('sdp.no-usable-codec'));
  });
});

describe('our own offers', () => {
  it('negotiates a play: both sides see the same', () => {
    const offer = offerPlay({ transport });
    const answer = play(offer.text);
    const read = readAnswer(offer.session, answer.text);
    expect(read.media.map(({ direction }) => direction)).toEqual(['recvonly', 'recvonly']);
    for (const [index, ours] of read.media.entries()) {
      const { codec, payloadType, extensions, mid } = answer.negotiated.media[index] ?? {};
      expect(ours).toMatchObject({ codec, payloadType, extensions, mid });
    }
    expect(read.media[1]).toMatchObject({ sources: [{ ssrc: 11, rtxSsrc: 12, cname: 'sluice' }], payloadType: 102, rtxPayloadType: 103 });
    expect(read.transport).toMatchObject({ dtlsRole: 'client', iceLite: true, ice: transport.ice, candidates: transport.candidates });
  });

  it('negotiates a publication with simulcast', () => {
    const offer = offerPublish({ transport, tracks: [audio, { ...video, rids: ['a', 'b'] }] });
    const answer = publish(offer.text);
    expect(answer.negotiated.media[1]).toMatchObject({ rids: ['a', 'b'], codec: 'h264' });
    expect(answer.negotiated.media[0]?.sources).toEqual([{ ssrc: 13, cname: 'sluice' }]);
    expect(readAnswer(offer.session, answer.text).media[1]).toMatchObject({ direction: 'sendonly', rids: ['a', 'b'] });
  });

  it('reads an answer that turns sections down, and refuses one that does not belong', () => {
    const offer = offerPlay({ transport });
    expect(readAnswer(offer.session, play(offer.text, [audio]).text).rejected).toMatchObject([{ kind: 'video', reason: 'peer' }]);
    const none = play(offer.text, [audio]).text.replaceAll('a=sendonly', 'a=inactive');
    expect(() => readAnswer(offer.session, none)).toThrow(coded('sdp.no-usable-codec'));
    expect(() => readAnswer(offer.session, publish(gstreamerSendonly).text)).toThrow(coded('sdp.bad'));
  });

  it("reads another server's answer: transport for the session, SRS's manner", () => {
    const offer = offerPlay({ transport });
    const fingerprint = `a=fingerprint:sha-256 ${transport.fingerprint}`;
    const answer = crlf(`
v=0
o=SRS/6.0 94523 2 IN IP4 0.0.0.0
s=SRSPlaySession
t=0 0
a=ice-lite
a=group:BUNDLE 0 1
a=msid-semantic: WMS live/livestream
m=audio 9 UDP/TLS/RTP/SAVPF 116
c=IN IP4 0.0.0.0
a=ice-ufrag:18j0n27o
a=ice-pwd:5g66aw9v1sy33t9g1ch4i7s8tg41h8b3
${fingerprint}
a=setup:passive
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:116 opus/48000/2
a=ssrc:5555 cname:x
a=candidate:0 1 udp 2130706431 127.0.0.1 8000 typ host generation 0
m=video 9 UDP/TLS/RTP/SAVPF 102
c=IN IP4 0.0.0.0
a=ice-ufrag:18j0n27o
a=ice-pwd:5g66aw9v1sy33t9g1ch4i7s8tg41h8b3
${fingerprint}
a=setup:passive
a=mid:1
a=sendonly
a=rtcp-mux
a=rtpmap:102 H264/90000
a=ssrc:6666 cname:x
a=candidate:0 1 udp 2130706431 127.0.0.1 8000 typ host generation 0`);
    const read = readAnswer(offer.session, answer);
    expect(read.media.map(({ sources }) => sources[0]?.ssrc)).toEqual([5555, 6666]);
    expect(read.transport.candidates).toHaveLength(1);
  });
});

describe('with hostile text', () => {
  const seeds = [chromiumRecvonly, chromiumSimulcast, firefoxRecvonly, obsSendonly, gstreamerSendonly].map((text) => text.split('\r\n'));
  const edit = fc.record({
    at: fc.nat(),
    other: fc.nat(),
    kind: fc.constantFrom('remove', 'repeat', 'swap', 'cut', 'insert', 'number'),
    text: fc.string({ maxLength: 12 }),
  });

  const apply = (lines: string[], { at, other, kind, text }: { at: number; other: number; kind: string; text: string }): void => {
    const index = at % lines.length;
    const line = lines[index] ?? '';
    if (kind === 'remove') lines.splice(index, 1);
    else if (kind === 'repeat') lines.splice(other % lines.length, 0, line);
    else if (kind === 'swap') lines[index] = lines[other % lines.length] ?? '';
    else if (kind === 'cut') lines[index] = line.slice(0, other % (line.length + 1));
    else if (kind === 'number') lines[index] = line.replace(/\d+/, String(other));
    else lines[index] = line.slice(0, other % (line.length + 1)) + text + line.slice(other % (line.length + 1));
  };

  const tryAll = (text: string): void => {
    const attempt = (act: () => unknown): void => {
      try {
        act();
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    };
    let session: SessionDescription | undefined;
    attempt(() => {
      session = parseSessionDescription(text);
    });
    if (session === undefined) return;
    const offer = session;
    for (const answer of [() => answerPublish(offer, { transport }), () => answerPlay(offer, [video, audio], { transport })]) {
      attempt(() => {
        // Whatever is answered must be readable again: nothing of the peer's breaks out of its line.
        expect(parseSessionDescription(answer().text).media).toHaveLength(offer.media.length);
      });
    }
    attempt(() => readAnswer(offerPlay({ transport }).session, text));
  };

  it('throws nothing but ProtocolError for edited offers', () => {
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 8 }), (seed, edits) => {
        const lines = [...seed];
        for (const one of edits) apply(lines, one);
        tryAll(lines.join('\r\n'));
      }),
      RUNS,
    );
  });

  it('throws nothing but ProtocolError for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => tryAll(`v=0\r\no=- 1 1 IN IP4 0\r\n${text}`)),
      RUNS,
    );
  });
});
