import { type JSX, useId } from 'react';
import { formatBitrate } from '../figures/figures.ts';
import { codecLabel } from './codec-choice.ts';
import { SelectField } from './field.tsx';
import type { PublishSnapshot } from './publish-session.ts';
import { BITRATE_RANGE, FRAME_RATES, HEIGHTS, type PublishSettings, widthOf } from './publish-settings.ts';

interface Props {
  readonly view: PublishSnapshot;
  readonly isLocked: boolean;
  readonly onChange: (change: Partial<PublishSettings>) => void;
}

/** How the picture is sent. The bitrate can be changed while live. */
export function EncodingPanel({ view, isLocked, onChange }: Props): JSX.Element {
  const { settings, codecs } = view;
  const id = useId();
  return (
    <section className="panel choices" aria-labelledby="encoding-title">
      <h2 id="encoding-title">Quality</h2>
      <div className="pair">
        <SelectField
          label="Resolution"
          value={String(settings.height)}
          options={HEIGHTS.map((height) => ({ value: String(height), label: `${widthOf(height)} × ${height}` }))}
          isLocked={isLocked}
          onChange={(height) => onChange({ height: Number(height) })}
        />
        <SelectField
          label="Frame rate"
          value={String(settings.framesPerSecond)}
          options={FRAME_RATES.map((rate) => ({ value: String(rate), label: `${rate} a second` }))}
          isLocked={isLocked}
          onChange={(rate) => onChange({ framesPerSecond: Number(rate) })}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-bitrate`}>
          Bitrate <output htmlFor={`${id}-bitrate`}>{formatBitrate(settings.bitrateBps)}</output>
        </label>
        <input
          id={`${id}-bitrate`}
          type="range"
          min={BITRATE_RANGE.minBps}
          max={BITRATE_RANGE.maxBps}
          step={BITRATE_RANGE.stepBps}
          value={settings.bitrateBps}
          aria-valuetext={formatBitrate(settings.bitrateBps)}
          onChange={(event) => onChange({ bitrateBps: event.target.valueAsNumber })}
        />
      </div>
      <SelectField
        label="Codec"
        value={settings.codec}
        options={codecs.map((name) => ({ value: name, label: codecLabel(name) }))}
        isLocked={isLocked || codecs.length === 0}
        onChange={(codec) => onChange({ codec })}
      />
      <label className="check">
        <input
          type="checkbox"
          checked={settings.simulcast}
          disabled={isLocked}
          aria-describedby={`${id}-simulcast`}
          onChange={(event) => onChange({ simulcast: event.target.checked })}
        />
        Simulcast
      </label>
      <p className="note" id={`${id}-simulcast`}>
        Sends the picture in three sizes at once, so that viewers on slow networks get a smaller one.
      </p>
    </section>
  );
}
