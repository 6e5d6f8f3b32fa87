import type { JSX } from 'react';
import type { Quality } from './engine.ts';
import type { MissingQuality } from './missing-qualities.ts';

interface Props {
  readonly qualities: readonly Quality[];
  readonly missing: readonly MissingQuality[];
  readonly playing: number;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  /** The menu is about to be opened. */
  readonly onLook: () => void;
}

/**
 * `Auto` and the stream's qualities; with a single one there is nothing to choose, and it is shown as it is. What is missing for now stands there with
 * the reason, and cannot be chosen.
 */
export function QualityMenu({ qualities, missing, playing, chosen, onChoose, onLook }: Props): JSX.Element | null {
  const [first, second] = qualities;
  if (!first) return null;
  const now = qualities.find((quality) => quality.index === playing)?.label;
  return (
    <select
      className="quality"
      aria-label="Quality"
      disabled={!second && missing.length === 0}
      value={second ? chosen : first.index}
      onPointerEnter={onLook}
      onFocus={onLook}
      onChange={(event) => onChoose(Number(event.target.value))}
    >
      {second && <option value={-1}>{now && chosen === -1 ? `Auto (${now})` : 'Auto'}</option>}
      {qualities.map(({ index, label }) => (
        <option key={index} value={index}>
          {label}
        </option>
      ))}
      {missing
        .filter(({ label }) => !qualities.some((quality) => quality.label === label))
        .map(({ label, reason }) => (
          <option key={label} disabled>
            {`${label}: ${reason}`}
          </option>
        ))}
    </select>
  );
}
