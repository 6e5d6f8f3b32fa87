import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MediumAccount, parseTransportChoice, TransportPolicy, type WebrtcAccount } from './transport-policy.ts';
import { webrtcAccountOf } from './webrtc-account.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

const playable: MediumAccount = { kind: 'playable' };
const aac: MediumAccount = { kind: 'missing', message: 'AAC sound cannot be played by WebRTC.' };
const bFrames: MediumAccount = { kind: 'missing', message: 'The picture has B-frames.' };

function policy(choice: 'auto' | 'webrtc' | 'hls', account: WebrtcAccount, browserCan = true): TransportPolicy {
  const made = new TransportPolicy(choice, browserCan);
  made.account = account;
  return made;
}

describe('transport by itself', () => {
  it('is WebRTC where everything can be played by it, or where nobody said that it cannot', () => {
    expect(policy('auto', { video: playable, audio: playable }).decide()).toEqual({ transport: 'webrtc', missing: [] });
    expect(policy('auto', { video: playable, audio: { kind: 'none' } }).decide().transport).toBe('webrtc');
    expect(policy('auto', 'unknown').decide().transport).toBe('webrtc');
  });
  it.each<[string, WebrtcAccount, boolean, string]>([
    ['the sound', { video: playable, audio: aac }, true, 'AAC sound cannot be played by WebRTC.'],
    ['both', { video: bFrames, audio: aac }, true, 'The picture has B-frames. AAC sound cannot be played by WebRTC.'],
    ['the server', 'off', true, 'This server does not offer WebRTC.'],
    ['the browser', { video: playable, audio: playable }, false, 'This browser has no WebRTC.'],
  ])('is HLS, and says why, when %s lacks', (_title, account, browserCan, reason) => {
    expect(policy('auto', account, browserCan).decide()).toEqual({ transport: 'hls', reason, missing: [] });
  });
  it('falls back once WebRTC failed, until the stream is over', () => {
    const auto = policy('auto', { video: playable, audio: playable });
    auto.failed('no connection within 4 s');
    expect(auto.decide()).toMatchObject({ transport: 'hls', reason: 'WebRTC failed: no connection within 4 s' });
    auto.waiting();
    expect(auto.decide().transport).toBe('webrtc');
  });
  it('falls back when WebRTC connects and shows nothing', () => {
    const auto = policy('auto', 'unknown');
    auto.loading('webrtc');
    auto.loading('webrtc');
    expect(auto.decide()).toMatchObject({ transport: 'hls', reason: 'WebRTC failed: no picture came by WebRTC' });
  });
  it('falls back when the stream is said to be there and twice is not there for WebRTC', () => {
    const auto = policy('auto', 'unknown');
    auto.absent();
    auto.waiting();
    expect(auto.decide().transport).toBe('webrtc');
    auto.absent();
    auto.waiting();
    expect(auto.decide()).toMatchObject({ transport: 'hls', reason: 'The server has this stream, but not for WebRTC.' });
  });
});

describe('a chosen transport', () => {
  it('is kept: WebRTC plays what there is and says what is missing', () => {
    expect(policy('webrtc', { video: playable, audio: aac }).decide()).toEqual({ transport: 'webrtc', missing: [aac.message] });
    const tried = policy('webrtc', 'unknown');
    tried.failed('x');
    expect(tried.decide().transport).toBe('webrtc');
    expect(policy('hls', { video: playable, audio: playable }).decide()).toEqual({ transport: 'hls', missing: [] });
  });
  it('is impossible where WebRTC has nothing to play', () => {
    expect(policy('webrtc', 'off').decide().impossible).toBe('This server does not offer WebRTC.');
    expect(policy('webrtc', { video: bFrames, audio: aac }).decide().impossible).toContain('B-frames');
  });
  it('makes earlier trouble forgotten', () => {
    const auto = policy('auto', 'unknown');
    auto.failed('x');
    auto.choose('auto');
    expect(auto.decide().transport).toBe('webrtc');
  });
  it('is read from the address', () => {
    expect(['webrtc', 'hls', 'auto', 'rtmp', null].map(parseTransportChoice)).toEqual(['webrtc', 'hls', 'auto', 'auto', 'auto']);
  });
});

describe("the server's account", () => {
  const account = (webrtc: unknown): WebrtcAccount => webrtcAccountOf({ status: 200, body: JSON.stringify({ state: 'live', webrtc }) });
  it('is read medium by medium', () => {
    expect(account({ video: { playable: true }, audio: { playable: false, reason: 'aac', message: aac.message } })).toEqual({
      video: playable,
      audio: aac,
    });
    expect(account({ video: { playable: false } })).toEqual({
      video: { kind: 'missing', message: 'The picture cannot be played by WebRTC.' },
      audio: { kind: 'none' },
    });
  });
  it('says that WebRTC is off where the server has none, and nothing where there is no answer', () => {
    expect(account(null)).toBe('off');
    expect(account(undefined)).toBe('off');
    expect(webrtcAccountOf(undefined)).toBe('unknown');
    expect(webrtcAccountOf({ status: 401, body: '{}' })).toBe('unknown');
  });
  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => void webrtcAccountOf({ status: 200, body })),
      { numRuns },
    );
  });
});
