import { type JSX, useEffect, useState } from 'react';
import { Icon } from '../design/icons.tsx';
import { formatBitrate, formatLatency, formatRatio, formatSeconds, UNKNOWN } from '../figures/figures.ts';
import type { PlayerFigures } from './player-figures.ts';
import { TransportMenu } from './transport-menu.tsx';
import type { WatchSession, WatchSnapshot } from './watch-session.ts';

const REFRESH_MS = 500;
const QUALITIES_EACH_MS = 2000;

interface Props {
  readonly session: WatchSession;
  readonly view: WatchSnapshot;
  readonly onClose: () => void;
}

/** The player's measurements in a small table over the picture. */
export function FiguresOverlay({ session, view, onClose }: Props): JSX.Element {
  const [figures, setFigures] = useState(session.figures);
  useEffect(() => {
    session.refreshQualities();
    const timers = [setInterval(() => setFigures(session.figures()), REFRESH_MS), setInterval(session.refreshQualities, QUALITIES_EACH_MS)];
    return () => timers.forEach(clearInterval);
  }, [session]);
  return (
    <section className="figures" aria-label="Figures">
      <dl>
        <div>
          <dt>Transport</dt>
          <dd>
            <TransportMenu view={view} onChoose={session.chooseTransport} className="transport" />
          </dd>
        </div>
        {rows(figures).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <button type="button" className="control" onClick={onClose} aria-label="Close figures">
        <Icon name="close" size={16} />
      </button>
    </section>
  );
}

type Row = readonly [string, string];

function rows(figures: PlayerFigures): readonly Row[] {
  return [
    ['Protocol', figures.protocol || UNKNOWN],
    ...(figures.transportReason === undefined ? [] : [['Why not WebRTC', figures.transportReason] as const]),
    ...(figures.missing.length === 0 ? [] : [['Left out', figures.missing.join(' ')] as const]),
    ...(figures.transport === 'webrtc' ? connectionRows(figures) : playlistRows(figures)),
    ['Bitrate', formatBitrate(figures.bitrateBps)],
    ['Picture', figures.width > 0 ? `${figures.width} × ${figures.height}` : UNKNOWN],
    ...qualityRows(figures),
    ['Codecs', figures.codecs ?? UNKNOWN],
    ['Dropped frames', `${figures.droppedFrames} of ${figures.totalFrames}`],
    ['Stalls', String(figures.stalls)],
    ['Fatal errors', String(figures.fatalErrors)],
  ];
}

function qualityRows({ quality, qualityReason }: PlayerFigures): readonly Row[] {
  if (quality === undefined) return [];
  return [['Quality', qualityReason === undefined ? quality : `${quality}: ${qualityReason}`]];
}

function connectionRows(figures: PlayerFigures): readonly Row[] {
  return [
    ['Latency', formatLatency(figures.latencyMs)],
    ['Round trip', formatLatency(figures.rttMs)],
    ['Loss', formatRatio(figures.lossRatio)],
    ['Jitter', formatLatency(figures.jitterMs)],
    ['Jitter buffer', formatLatency(figures.jitterBufferMs)],
    ['Freezes', figures.freezes === undefined ? UNKNOWN : String(figures.freezes)],
  ];
}

function playlistRows(figures: PlayerFigures): readonly Row[] {
  return [
    ['Behind live', formatSeconds(figures.latencyMs)],
    ['Behind playlist', formatSeconds(figures.edgeLatencyMs)],
    ['Buffer', formatSeconds(figures.bufferMs)],
  ];
}
