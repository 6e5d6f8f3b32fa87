import type { JSX } from 'react';
import { Icon } from '../design/icons.tsx';
import { playerMessage } from './player-messages.ts';
import type { WatchSnapshot } from './watch-session.ts';

interface Props {
  readonly view: WatchSnapshot;
  readonly path: string;
  readonly onRetry: () => void;
  readonly onPlay: () => void;
  readonly onUnmute: () => void;
}

/** What lies over the picture: the state in words, or the one button that is needed now. */
export function PlayerNotice({ view, path, onRetry, onPlay, onUnmute }: Props): JSX.Element | null {
  const { phase } = view.player;
  const message = playerMessage(view.player, path);
  if (message && !(view.paused && phase === 'stalled')) {
    // Over the last picture a small note; without a picture the whole stage.
    const place = phase === 'held' || phase === 'stalled' ? 'notice over-picture' : 'notice';
    return (
      <div className={place}>
        {message.busy && <span className="ripple" aria-hidden="true" />}
        <div>
          <p className="notice-title">{message.title}</p>
          {message.hint && <p className="notice-hint">{message.hint}</p>}
        </div>
        {phase === 'failed' && (
          <button type="button" className="button primary" onClick={onRetry}>
            Try again
          </button>
        )}
      </div>
    );
  }
  if (view.paused) {
    return (
      <button type="button" className="big-play" onClick={onPlay} aria-label="Play">
        <Icon name="play" size={38} />
      </button>
    );
  }
  if (!view.soundRefused || !view.muted) return null;
  return (
    <button type="button" className="button unmute" onClick={onUnmute}>
      <Icon name="muted" /> Unmute
    </button>
  );
}
