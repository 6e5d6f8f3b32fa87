import { type JSX, type MouseEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Controls } from './controls.tsx';
import { FiguresOverlay } from './figures-overlay.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { type PlayerAction, playerAction } from './keyboard.ts';
import { playerAnnouncement } from './player-messages.ts';
import { PlayerNotice } from './player-notice.tsx';
import { toggleFullscreen } from './screen-modes.ts';
import { useIdle } from './use-idle.ts';
import type { WatchSession } from './watch-session.ts';

/** Picture, controls and everything that lies over the picture. */
export function Player({ session }: { readonly session: WatchSession }): JSX.Element {
  const view = useSyncExternalStore(session.subscribe, session.snapshot);
  const frame = useRef<HTMLElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [figuresShown, setFiguresShown] = useState(false);
  const [helpShown, setHelpShown] = useState(false);
  const { idle, stir } = useIdle();

  useEffect(() => (video.current ? session.attach(video.current) : undefined), [session]);

  const actions: Record<PlayerAction, () => void> = {
    play: session.togglePlay,
    mute: session.toggleMute,
    live: session.jumpToLive,
    fullscreen: () => void toggleFullscreen(frame.current, video.current),
    info: () => setFiguresShown((shown) => !shown),
    help: () => setHelpShown((shown) => !shown),
  };
  useKeys(actions, stir);

  // A finger has no hover: its tap brings the controls, a mouse's click pauses.
  const onPictureClick = ({ nativeEvent }: MouseEvent): void => {
    if (nativeEvent instanceof PointerEvent && nativeEvent.pointerType === 'touch') stir();
    else session.togglePlay();
  };
  const playing = view.player.phase === 'playing';
  const quiet = idle && playing && !view.paused;
  return (
    <section
      ref={frame}
      className={quiet ? 'player quiet' : 'player'}
      aria-label={`Player of ${session.address.path}`}
      onPointerMove={stir}
      onFocus={stir}
    >
      {/* biome-ignore lint/a11y/useMediaCaption: a live stream brings no captions along */}
      <video ref={video} playsInline onClick={onPictureClick} onDoubleClick={actions.fullscreen} tabIndex={-1} />
      <PlayerNotice
        view={view}
        path={session.address.path}
        onRetry={session.retry}
        onPlay={session.togglePlay}
        onUnmute={session.toggleMute}
      />
      {figuresShown && <FiguresOverlay session={session} view={view} onClose={actions.info} />}
      {playing && view.transport.missing.length > 0 && <p className="missing">{view.transport.missing.join(' ')}</p>}
      <Controls session={session} view={view} video={video} actions={actions} figuresShown={figuresShown} />
      <HelpDialog open={helpShown} onClose={() => setHelpShown(false)} />
      <p className="visually-hidden" role="status" aria-live="polite">
        {playerAnnouncement(view.player, session.address.path)}
      </p>
    </section>
  );
}

function useKeys(actions: Record<PlayerAction, () => void>, stir: () => void): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const focus = document.activeElement?.tagName ?? '';
      const action = playerAction({ key: event.key, ctrlKey: event.ctrlKey, altKey: event.altKey, metaKey: event.metaKey, focus });
      if (!action || event.repeat) return;
      event.preventDefault();
      stir();
      latest.current[action]();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [stir]);
}
