import type { JSX } from 'react';
import { SelectField } from './field.tsx';
import { INSECURE } from './publish-problem.ts';
import type { PublishSnapshot } from './publish-session.ts';
import type { PublishSettings, SourceKind } from './publish-settings.ts';

interface Props {
  readonly view: PublishSnapshot;
  readonly isLocked: boolean;
  readonly onChange: (change: Partial<PublishSettings>) => void;
}

const SOURCES: readonly { readonly kind: SourceKind; readonly label: string }[] = [
  { kind: 'camera', label: 'Camera' },
  { kind: 'screen', label: 'Screen' },
  { kind: 'test', label: 'Test picture' },
];

/** Where picture and sound come from. */
export function SourcePanel({ view, isLocked, onChange }: Props): JSX.Element {
  const { settings, cameras, microphones } = view;
  const isInsecure = navigator.mediaDevices === undefined;
  return (
    <section className="panel choices" aria-labelledby="source-title">
      <h2 id="source-title">Source</h2>
      <fieldset className="segments" disabled={isLocked}>
        <legend className="visually-hidden">Picture from</legend>
        {SOURCES.map(({ kind, label }) => (
          <label key={kind}>
            <input type="radio" name="source" value={kind} checked={settings.source === kind} onChange={() => onChange({ source: kind })} />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      {isInsecure && settings.source !== 'test' && (
        <p className="problem">
          <strong>{INSECURE.title}.</strong> {INSECURE.hint}
        </p>
      )}
      {settings.source === 'camera' && (
        <DeviceField
          label="Camera"
          devices={cameras}
          value={settings.cameraId}
          isLocked={isLocked}
          onChange={(cameraId) => onChange({ cameraId })}
        />
      )}
      <label className="check">
        <input
          type="checkbox"
          checked={settings.withSound}
          disabled={isLocked}
          onChange={(event) => onChange({ withSound: event.target.checked })}
        />
        {settings.source === 'test' ? 'A beep at each full second' : 'With sound'}
      </label>
      {settings.source !== 'test' && settings.withSound && (
        <DeviceField
          label="Microphone"
          devices={microphones}
          value={settings.microphoneId}
          isLocked={isLocked}
          onChange={(microphoneId) => onChange({ microphoneId })}
        />
      )}
    </section>
  );
}

interface DeviceProps {
  readonly label: string;
  readonly devices: readonly MediaDeviceInfo[];
  readonly value: string;
  readonly isLocked: boolean;
  readonly onChange: (deviceId: string) => void;
}

function DeviceField({ label, devices, value, isLocked, onChange }: DeviceProps): JSX.Element {
  const options = [
    { value: '', label: 'The browser’s own choice' },
    ...devices.map((device) => ({ value: device.deviceId, label: device.label })),
  ];
  return <SelectField label={label} value={value} options={options} isLocked={isLocked} onChange={onChange} />;
}
