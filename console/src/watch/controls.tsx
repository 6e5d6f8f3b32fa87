import { type JSX, type RefObject, useEffect, useState } from 'react';
import { Icon } from '../design/icons.tsx';
import type { PlayerAction } from './keyboard.ts';
import { QualityMenu } from './quality-menu.tsx';
import { canFullscreen, canPictureInPicture, togglePictureInPicture } from './screen-modes.ts';
import { TransportMenu } from './transport-menu.tsx';
import type { WatchSession, WatchSnapshot } from './watch-session.ts';

interface Props {
  readonly session: WatchSession;
  readonly view: WatchSnapshot;
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly actions: Record<PlayerAction, () => void>;
  readonly figuresShown: boolean;
}

/** The bar below the picture. */
export function Controls({ session, view, video, actions, figuresShown }: Props): JSX.Element {
  const fullscreen = useFullscreen();
  const loaded = view.qualities.length > 0 || view.player.phase === 'playing';
  return (
    <fieldset className="controls" aria-label="Player controls">
      <Press label={view.paused ? 'Play' : 'Pause'} keyHint="k" icon={view.paused ? 'play' : 'pause'} onPress={actions.play} />
      <Press label={view.muted ? 'Sound on' : 'Sound off'} keyHint="m" icon={view.muted ? 'muted' : 'sound'} onPress={actions.mute} />
      <input
        className="volume"
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label="Volume"
        value={view.muted ? 0 : view.volume}
        onChange={(event) => session.setVolume(event.target.valueAsNumber)}
      />
      <button
        type="button"
        className={view.behindLive || !loaded || view.player.phase === 'held' ? 'to-live' : 'to-live at-live'}
        onClick={actions.live}
        disabled={!loaded}
        title="Jump to live (l)"
      >
        <span className="dot" aria-hidden="true" />
        {view.behindLive ? 'Go live' : 'Live'}
      </button>
      <span className="gap" />
      <QualityMenu
        qualities={view.qualities}
        missing={view.missingQualities}
        playing={view.playingQuality}
        chosen={view.chosenQuality}
        onChoose={session.chooseQuality}
        onLook={session.refreshQualities}
      />
      <TransportMenu view={view} onChoose={session.chooseTransport} className="quality wide-only" />
      <Press label="Figures" keyHint="i" icon="figures" onPress={actions.info} pressed={figuresShown} />
      <Press label="Keys" keyHint="?" icon="help" onPress={actions.help} wideOnly />
      {canPictureInPicture() && (
        <Press label="Picture in picture" icon="picture" onPress={() => void togglePictureInPicture(video.current)} wideOnly />
      )}
      {canFullscreen(video.current) && (
        <Press
          label={fullscreen ? 'Leave full screen' : 'Full screen'}
          keyHint="f"
          icon={fullscreen ? 'shrink' : 'fullscreen'}
          onPress={actions.fullscreen}
        />
      )}
    </fieldset>
  );
}

interface PressProps {
  readonly label: string;
  readonly icon: Parameters<typeof Icon>[0]['name'];
  readonly onPress: () => void;
  readonly keyHint?: string;
  readonly pressed?: boolean;
  /** Left out on a narrow screen, where the room is needed. */
  readonly wideOnly?: boolean;
}

function Press({ label, icon, onPress, keyHint, pressed, wideOnly }: PressProps): JSX.Element {
  return (
    <button
      type="button"
      className={wideOnly ? 'control wide-only' : 'control'}
      onClick={onPress}
      aria-label={label}
      title={keyHint ? `${label} (${keyHint})` : label}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
    >
      <Icon name={icon} />
    </button>
  );
}

function useFullscreen(): boolean {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const look = (): void => setOn(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', look);
    return () => document.removeEventListener('fullscreenchange', look);
  }, []);
  return on;
}
