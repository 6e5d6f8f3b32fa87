import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError, streamRef } from '../core/mod.ts';
import { fillUrl, parseTargetUrl, rtmpPlace, srtOptions, withoutSecrets } from './target-url.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const ref = streamRef('live', 'show');

describe('URLs of targets', () => {
  it('name the stream where they want to', () => {
    expect(fillUrl('rtmp://example.org/{app}/{name}?key=1', ref)).toBe('rtmp://example.org/live/show?key=1');
    expect(() => fillUrl('rtmp://example.org/{stream}/x', ref)).toThrow('{app} and {name}');
  });

  it('show no more than scheme, host and port', () => {
    expect(parseTargetUrl('rtmps://a.example:443/live2/KEY?x=SECRET').shown).toBe('rtmps://a.example:443');
    expect(parseTargetUrl('whip+https://b.example/SECRET/whip')).toMatchObject({
      protocol: 'whip',
      isEncrypted: true,
      url: 'https://b.example/SECRET/whip',
      shown: 'whip+https://b.example',
    });
    expect(parseTargetUrl('srt://[2001:db8::1]:9000?passphrase=SECRETSECRET').shown).toBe('srt://[2001:db8::1]:9000');
  });

  it('of RTMP end in the key', () => {
    const place = (url: string) => rtmpPlace(parseTargetUrl(url));
    expect(place('rtmp://a.example/live2/KEY')).toEqual({ app: 'live2', tcUrl: 'rtmp://a.example/live2', streamKey: 'KEY' });
    expect(place('rtmps://a.example:443/app/inst/show?key=1')).toEqual({
      app: 'app/inst',
      tcUrl: 'rtmps://a.example:443/app/inst',
      streamKey: 'show?key=1',
    });
    for (const url of ['rtmp://a.example', 'rtmp://a.example/app', 'rtmp://a.example/app/']) expect(() => place(url)).toThrow('APP/KEY');
  });

  it('of SRT have the options that are about the stream', () => {
    expect([...srtOptions(parseTargetUrl('srt://a.example:9000?streamid=publish:live/show&latency=200000'))]).toEqual([
      ['streamid', 'publish:live/show'],
      ['latency', '200000'],
    ]);
    expect(() => parseTargetUrl('srt://a.example:9000?mode=listener')).toThrow('mode=caller');
    expect(() => parseTargetUrl('srt://a.example:9000?localaddr=10.0.0.1')).toThrow('localaddr');
  });

  it.each(['file:///etc/passwd', 'rtsp://a.example/x', 'nonsense', 'rtmp:///app/key', 'rtmp://user:SECRET@a.example/app/key'])(
    'refuse %s without repeating a secret',
    (url) => {
      expect(() => parseTargetUrl(url)).toThrow(SluiceError);
      expect(() => parseTargetUrl(url)).not.toThrow('SECRET');
    },
  );

  it('are kept out of what peers say', () => {
    const url = parseTargetUrl('rtmp://a.example/live/show?key=12%20345678');
    expect(withoutSecrets('denied: live/show?key=12%20345678\r\n("12 345678") by bearer1', url, 'bearer1')).toBe(
      'denied: live/show?… ("…") by …',
    );
    expect(withoutSecrets('no abcd-efgh-ijkl', parseTargetUrl('rtmp://a.example/live/abcd-efgh-ijkl'), '')).toBe('no …');
  });

  it('are told apart whatever is written', () => {
    const piece = fc.constantFrom('rtmp', 'srt', 'https', '://', '/', '?', '&', '=', '@', ':', 'mode', 'a.example', '{app}', '{', '[', '%');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseTargetUrl(fillUrl(pieces.join(''), ref));
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError);
        }
      }),
      { numRuns },
    );
  });
});
