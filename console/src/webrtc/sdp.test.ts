import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ABS_CAPTURE_TIME, negotiateExtensions } from './header-extensions.ts';
import { iceServersOf, layerUrlOf } from './link-header.ts';
import { sdpFragment } from './sdp-fragment.ts';
import { withCaptureTime, withStartBitrate, withStereo } from './sdp-lines.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

const OFFER = [
  'v=0',
  'a=group:BUNDLE 0 1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789',
  'a=mid:0',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'a=mid:1',
  'a=extmap:2 urn:3gpp:video-orientation',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  '',
].join('\r\n');

describe('offers', () => {
  it('ask for capture times in every section, under an id that is free', () => {
    const lines = withCaptureTime(OFFER).split('\r\n');
    expect(lines.filter((line) => line === `a=extmap:3 ${ABS_CAPTURE_TIME}`)).toHaveLength(2);
    expect(withCaptureTime(lines.join('\r\n'))).toBe(lines.join('\r\n'));
  });
  it('are left as they are when every id is taken', () => {
    const full = OFFER + Array.from({ length: 14 }, (_, at) => `a=extmap:${at + 1} urn:x${at}\r\n`).join('');
    expect(withCaptureTime(full)).toBe(full);
  });
  it('say that sound is played in stereo, once', () => {
    expect(withStereo(OFFER)).toContain('a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n');
    expect(withStereo(withStereo(OFFER))).toBe(withStereo(OFFER));
  });
  it('name only the header extensions that are of use, where the browser can be told', () => {
    let set: readonly { uri: string; direction: string }[] = [];
    negotiateExtensions({
      getHeaderExtensionsToNegotiate: () => [
        { uri: ABS_CAPTURE_TIME, direction: 'stopped' },
        { uri: 'urn:ietf:params:rtp-hdrext:toffset', direction: 'sendrecv' },
      ],
      setHeaderExtensionsToNegotiate: (extensions) => {
        set = extensions;
      },
    });
    expect(set.map(({ direction }) => direction)).toEqual(['sendrecv', 'stopped']);
    expect(() => negotiateExtensions({})).not.toThrow();
  });
});

describe('answers', () => {
  it('tell the encoder where to begin, with and without a line of format parameters', () => {
    expect(withStartBitrate(OFFER, 1_500_000)).toContain('a=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=1500\r\n');
    const withFormat = OFFER.replace('a=rtpmap:97', 'a=fmtp:96 x=1\r\na=rtpmap:97');
    expect(withStartBitrate(withFormat, 800_000)).toContain('a=fmtp:96 x=1;x-google-start-bitrate=800\r\n');
  });
});

describe('a fragment of candidates', () => {
  const candidate = 'candidate:1 1 udp 1 10.0.0.1 5000 typ host';
  it('has credentials, the first section, its candidates and their end', () => {
    const candidates = [
      { candidate, sdpMid: '0' },
      { candidate: 'candidate:other', sdpMid: '1' },
    ];
    expect(sdpFragment(OFFER, candidates, true)?.split('\r\n')).toEqual([
      'a=ice-ufrag:abcd',
      'a=ice-pwd:0123456789',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
      `a=${candidate}`,
      'a=end-of-candidates',
      '',
    ]);
  });
  it('is not made when there is nothing to tell, or nothing to tell it of', () => {
    expect(sdpFragment(OFFER, [], false)).toBeUndefined();
    expect(sdpFragment('v=0\r\n', [{ candidate, sdpMid: null }], true)).toBeUndefined();
  });
});

describe('Link headers', () => {
  it('name ICE servers with their credentials', () => {
    const header =
      '<stun:stun.example.org>; rel="ice-server", <https://example.org/>; rel="next", <turn:turn.example.org?transport=udp>; rel="ice-server"; username="u, ser"; credential=pass; credential-type="password"';
    expect(iceServersOf(header)).toEqual([
      { urls: 'stun:stun.example.org' },
      { urls: 'turn:turn.example.org?transport=udp', username: 'u, ser', credential: 'pass' },
    ]);
    expect(iceServersOf(null)).toEqual([]);
  });

  it('name where a layer is chosen', () => {
    const header = '<stun:a>; rel="ice-server", </live/show/whep/n.1/layer>; rel="urn:ietf:params:whep:ext:core:layer"';
    expect(layerUrlOf(header, 'https://example.org/live/show/whep')).toBe('https://example.org/live/show/whep/n.1/layer');
    expect(iceServersOf(header)).toEqual([{ urls: 'stun:a' }]);
    for (const none of [null, '', '<stun:a>; rel="ice-server"', '<https://:x>; rel="urn:ietf:params:whep:ext:core:layer"']) {
      expect(layerUrlOf(none, 'https://example.org/')).toBeUndefined();
    }
  });
});

describe('whatever a server or a browser sends', () => {
  it('is read without an error', () => {
    const line = fc.oneof(fc.constantFrom(...OFFER.split('\r\n')), fc.string());
    const text = fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\r\n'));
    fc.assert(
      fc.property(text, fc.string(), (sdp, header) => {
        for (const change of [withCaptureTime, withStereo]) expect(change(sdp).length).toBeGreaterThanOrEqual(sdp.length);
        withStartBitrate(sdp, 1e6);
        sdpFragment(sdp, [{ candidate: 'candidate:x', sdpMid: '0' }], true);
        expect(iceServersOf(`<stun:a>; ${header}`).length).toBeLessThanOrEqual(8);
        layerUrlOf(`<${header}>; rel="urn:ietf:params:whep:ext:core:layer"`, 'https://example.org/');
        expect(iceServersOf(header.repeat(20)).length).toBeLessThanOrEqual(8);
      }),
      { numRuns },
    );
  });
});
