import { type JSX, useEffect, useState } from 'react';
import { Icon } from '../design/icons.tsx';
import { formatBitrate, formatSeconds, UNKNOWN } from '../figures/figures.ts';
import type { PlayerFigures } from './player-figures.ts';

const REFRESH_MS = 500;

/** The player's measurements in a small table over the picture. */
export function FiguresOverlay({ read, onClose }: { readonly read: () => PlayerFigures; readonly onClose: () => void }): JSX.Element {
  const [figures, setFigures] = useState(read);
  useEffect(() => {
    const timer = setInterval(() => setFigures(read()), REFRESH_MS);
    return () => clearInterval(timer);
  }, [read]);
  return (
    <section className="figures" aria-label="Figures">
      <dl>
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

function rows(figures: PlayerFigures): readonly (readonly [string, string])[] {
  return [
    ['Behind live', formatSeconds(figures.latencyMs)],
    ['Behind playlist', formatSeconds(figures.edgeLatencyMs)],
    ['Buffer', formatSeconds(figures.bufferMs)],
    ['Bitrate', formatBitrate(figures.bitrateBps)],
    ['Picture', figures.width > 0 ? `${figures.width} × ${figures.height}` : UNKNOWN],
    ['Codecs', figures.codecs ?? UNKNOWN],
    ['Dropped frames', `${figures.droppedFrames} of ${figures.totalFrames}`],
    ['Stalls', String(figures.stalls)],
    ['Fatal errors', String(figures.fatalErrors)],
    ['Protocol', figures.protocol || UNKNOWN],
  ];
}
