import { describe, expect, it } from 'vitest';
import type { PlayerPhase, PlayerState } from './player-machine.ts';
import { playerAnnouncement, playerMessage } from './player-messages.ts';

const at = (phase: PlayerPhase, more: Partial<PlayerState> = {}): PlayerState => ({
  phase,
  serverSilent: false,
  stalls: 0,
  fatalErrors: 0,
  ...more,
});

describe('messages', () => {
  it('are silent over the picture', () => expect(playerMessage(at('playing'), 'live/show')).toBeUndefined());
  it('name the stream that is waited for', () =>
    expect(playerMessage(at('waiting'), 'live/show')?.title).toBe('Waiting for live/show to start'));
  it('tell a silent server from a missing stream', () => {
    expect(playerMessage(at('waiting', { serverSilent: true }), 'live/show')?.title).toBe('The server does not answer');
  });
  it('say of a hold that it ends by itself', () => {
    expect(playerAnnouncement(at('held'), 'live/show')).toBe('The publisher is away. It will go on by itself.');
  });
  it('show what went wrong in the end', () => {
    const failure = { kind: 'unsupported', detail: 'bufferIncompatibleCodecsError' } as const;
    expect(playerMessage(at('failed', { failure }), 'live/show')).toMatchObject({
      title: 'This browser cannot play the stream',
      busy: false,
    });
  });
});
