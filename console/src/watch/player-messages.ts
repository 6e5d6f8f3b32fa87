import type { PlayerState } from './player-machine.ts';

/** What the viewer is told: `title` says what is, `hint` what happens next or can be done. */
export interface PlayerMessage {
  readonly title: string;
  readonly hint?: string;
  /** Something is under way: a moving sign is shown. */
  readonly busy: boolean;
}

/** The words for a state of the player of stream `path`; `undefined` while the picture speaks for itself. */
export function playerMessage(state: PlayerState, path: string): PlayerMessage | undefined {
  switch (state.phase) {
    case 'playing':
      return undefined;
    case 'checking':
    case 'starting':
      return { title: `Opening ${path} …`, busy: true };
    case 'waiting':
      return state.serverSilent
        ? { title: 'The server does not answer', hint: 'Trying again by itself; is the network up?', busy: true }
        : { title: `Waiting for ${path} to start`, hint: 'The picture comes by itself as soon as somebody publishes.', busy: true };
    case 'stalled':
      return state.serverSilent
        ? { title: 'The server does not answer', hint: 'Trying again by itself.', busy: true }
        : { title: 'Loading …', busy: true };
    case 'held':
      return { title: 'The publisher is away', hint: 'It will go on by itself.', busy: true };
    case 'recovering':
      return { title: 'The picture was lost', hint: `Loading it again (${state.failure?.detail ?? 'unknown error'}).`, busy: true };
    case 'failed':
      if (state.failure?.kind === 'unavailable') {
        return { title: 'WebRTC cannot play this stream', hint: `${state.failure.detail} Choose another transport.`, busy: false };
      }
      return state.failure?.kind === 'unsupported'
        ? {
            title: 'This browser cannot play the stream',
            hint: `It lacks the codec (${state.failure.detail}). Another browser or player may do.`,
            busy: false,
          }
        : { title: 'The stream cannot be played', hint: `Last error: ${state.failure?.detail ?? 'unknown'}.`, busy: false };
  }
}

/** What a screen reader is told when the state changes. */
export function playerAnnouncement(state: PlayerState, path: string): string {
  const message = playerMessage(state, path);
  if (message === undefined) return `Playing ${path}`;
  return [message.title, message.hint].filter((part) => part !== undefined).join('. ');
}
