import { type FormEvent, type JSX, useState } from 'react';
import type { AppResource } from '../../../src/api/access-contract.ts';
import type { LadderResource, RungSettingsResource } from '../../../src/api/settings-contract.ts';
import { formatBitrate } from '../figures/figures.ts';
import { useLadder, useSetLadder, useUnsetLadder } from './access-queries.ts';
import { CheckField, PanelHead, SaveRow, SelectField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { Scrolled } from './parts.tsx';
import { useMayChange } from './session-context.ts';

const TEMPLATES = [
  ['off', 'nothing is transcoded'],
  ['webrtc', 'what WebRTC viewers need'],
  ['abr', 'several sizes, for all viewers'],
  ['custom', 'the rungs below'],
] as const;
const LINGER_MS_USUAL = 10_000;
const CODECS = ['h264', 'hevc', 'av1', 'vp8', 'vp9', 'aac', 'opus'] as const;
const NEW_RUNG: RungSettingsResource = {
  name: '720p',
  codec: 'h264',
  height: 720,
  frameRateMax: 0,
  bitrateBps: 2_500_000,
  preset: 'veryfast',
  encoder: 'auto',
  channels: 0,
};
/** With another codec; what is of pictures alone goes from a rung of sound, and what is of sound from a picture's. */
function withCodec(rung: RungSettingsResource, codec: RungSettingsResource['codec']): RungSettingsResource {
  const next = { ...rung, codec };
  return isSound(next) ? { ...next, height: 0, frameRateMax: 0, encoder: 'auto' } : { ...next, encoder: 'auto', channels: 0 };
}

const isSound = ({ codec }: RungSettingsResource): boolean => codec === 'aac' || codec === 'opus';

/** What is made of an app's streams beside what is published. */
export function AppLadder({ app: { name } }: { readonly app: AppResource }): JSX.Element {
  const { data, error, isPending } = useLadder(name);
  // Here, as the form begins anew with what it has saved.
  const set = useSetLadder(name);
  const unset = useUnsetLadder(name);
  const mayChange = useMayChange();
  return (
    <section className="panel" aria-labelledby="ladder-title">
      <PanelHead id="ladder-title" title="Ladder" />
      <NeedsKey problem={error} isLoading={isPending} what="the ladder" />
      {data && (
        <p className="note">
          {data.source === 'settings' ? 'Set here, for all nodes.' : 'As the configuration of the node that answers says.'}
        </p>
      )}
      {data && (mayChange ? <LadderForm key={data.source} ladder={data} set={set} unset={unset} /> : <Rungs rungs={data.rungs} />)}
    </section>
  );
}

function Rungs({ rungs }: { readonly rungs: readonly RungSettingsResource[] }): JSX.Element {
  return (
    <Scrolled label="Rungs">
      <table>
        <thead>
          <tr>
            <th scope="col">Rung</th>
            <th scope="col">Codec</th>
            <th scope="col">Height</th>
            <th scope="col">Bitrate</th>
          </tr>
        </thead>
        <tbody>
          {rungs.map((rung) => (
            <tr key={rung.name}>
              <th scope="row">{rung.name}</th>
              <td>{rung.codec}</td>
              <td>{isSound(rung) ? 'sound' : rung.height === 0 ? 'as published' : rung.height}</td>
              <td>{rung.bitrateBps === 0 ? 'by its size' : formatBitrate(rung.bitrateBps)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

interface LadderFormProps {
  readonly ladder: LadderResource;
  readonly set: ReturnType<typeof useSetLadder>;
  readonly unset: ReturnType<typeof useUnsetLadder>;
}

function LadderForm({ ladder, set, unset }: LadderFormProps): JSX.Element {
  // Where nothing is made, there is no such time yet.
  const lingerMs = ladder.template === 'off' ? LINGER_MS_USUAL : ladder.lingerMs;
  const [draft, setDraft] = useState({ ...ladder, lingerS: String(lingerMs / 1000) });
  const change = (part: Partial<typeof draft>): void => {
    set.reset();
    setDraft((last) => ({ ...last, ...part }));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const { template, rungs, always, lingerS } = draft;
    set.mutate({ template, always, lingerMs: Math.round(Number(lingerS) * 1000), ...(template === 'custom' ? { rungs } : {}) });
  };
  return (
    <form className="form" onSubmit={submit}>
      <div className="fields">
        <SelectField
          label="Made are"
          value={draft.template}
          onChange={(template) => change({ template: template as LadderResource['template'] })}
          choices={TEMPLATES}
        />
        <TextField
          label="A rung goes on without viewers for, s"
          type="number"
          value={draft.lingerS}
          onChange={(lingerS) => change({ lingerS })}
          isRequired
        />
      </div>
      <CheckField label="Made without viewers, too" isChecked={draft.always} onChange={(always) => change({ always })} />
      {draft.template === 'custom' ? (
        <RungFields rungs={draft.rungs} onChange={(rungs) => change({ rungs: [...rungs] })} />
      ) : (
        draft.template === ladder.template && ladder.rungs.length > 0 && <Rungs rungs={ladder.rungs} />
      )}
      <SaveRow change={{ ...set, error: set.error ?? unset.error }}>
        {ladder.source === 'settings' && (
          <button
            type="button"
            className="button"
            disabled={unset.isPending}
            onClick={() => unset.mutate(undefined, { onSuccess: () => set.reset() })}
          >
            Back to the configuration
          </button>
        )}
      </SaveRow>
    </form>
  );
}

function RungFields({
  rungs,
  onChange,
}: {
  readonly rungs: readonly RungSettingsResource[];
  readonly onChange: (rungs: readonly RungSettingsResource[]) => void;
}): JSX.Element {
  const change = (index: number, part: Partial<RungSettingsResource>): void =>
    onChange(rungs.map((rung, at) => (at === index ? { ...rung, ...part } : rung)));
  return (
    <>
      {rungs.map((rung, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the name is what is being typed
        <fieldset key={index} className="rung">
          <legend>Rung {index + 1}</legend>
          <div className="fields narrow">
            <TextField label="Name" value={rung.name} onChange={(name) => change(index, { name })} isRequired lengthMax={32} />
            <SelectField
              label="Codec"
              value={rung.codec}
              onChange={(codec) => change(index, withCodec(rung, codec as RungSettingsResource['codec']))}
              choices={CODECS.map((codec) => [codec, codec])}
            />
            {!isSound(rung) && (
              <TextField
                label="Height"
                type="number"
                value={String(rung.height)}
                onChange={(height) => change(index, { height: Number(height) })}
              />
            )}
            <TextField
              label="Bitrate, kbit/s"
              type="number"
              value={String(rung.bitrateBps / 1000)}
              onChange={(bitrate) => change(index, { bitrateBps: Math.round(Number(bitrate) * 1000) })}
            />
            <button
              type="button"
              className="button danger-text"
              aria-label={`Leave out rung ${index + 1}`}
              onClick={() => onChange(rungs.filter((_rung, at) => at !== index))}
            >
              Leave out
            </button>
          </div>
        </fieldset>
      ))}
      <div className="form-buttons">
        <button type="button" className="button" onClick={() => onChange([...rungs, NEW_RUNG])}>
          One more rung
        </button>
        <span className="note">0 stands for “as it fits”.</span>
      </div>
    </>
  );
}
