import { type FormEvent, type JSX, useState } from 'react';
import type { TaskPinResource, TranscodingWeightsResource, WeightRuleResource } from '../../../src/api/allocation-contract.ts';
import { useSetWeights, useWeights } from './allocation-queries.ts';
import { PanelHead, TextField } from './forms.tsx';
import { Standing } from './parts.tsx';
import { useMayChange } from './session-context.ts';

const NEW_RULE: WeightRuleResource = { app: '*', stream: '*', rung: '*', viewersMin: 0, weight: 2 };
const NEW_PIN: TaskPinResource = { stream: '' };

/** What is transcoded first when there is not enough for all. */
export function TranscodingWeights(): JSX.Element {
  const { data, error, isPending } = useWeights();
  const [isChanging, setChanging] = useState(false);
  return (
    <section className="panel" aria-labelledby="weights-title">
      <PanelHead id="weights-title" title="What comes first">
        {useMayChange() && data && !isChanging && (
          <button type="button" className="button" onClick={() => setChanging(true)}>
            Change …
          </button>
        )}
      </PanelHead>
      <p className="note">Viewers of a rung, times the weight of the first rule that fits; what is pinned comes before everything else.</p>
      <Standing problem={error} isLoading={isPending} />
      {data && (isChanging ? <WeightsForm weights={data} onClose={() => setChanging(false)} /> : <Weights weights={data} />)}
    </section>
  );
}

function Weights({ weights: { rules, pins } }: { readonly weights: TranscodingWeightsResource }): JSX.Element {
  return (
    <ul className="entries">
      {pins.map(({ stream, rung, node }) => (
        <li key={`${stream} ${rung ?? ''}`}>
          <b>Pinned:</b> {stream}
          {rung !== undefined && ` ${rung}`}
          {node !== undefined && ` on ${node}`}
        </li>
      ))}
      {rules.map(({ app, stream, rung, viewersMin, weight }) => (
        <li key={`${app} ${stream} ${rung} ${viewersMin}`}>
          <b>× {weight}</b> {app}/{stream}, rung {rung}
          {viewersMin > 0 && `, from ${viewersMin} viewers on`}
        </li>
      ))}
      {rules.length + pins.length === 0 && <li className="note">No rules: each viewer counts the same.</li>}
    </ul>
  );
}

function WeightsForm({ weights, onClose }: { readonly weights: TranscodingWeightsResource; readonly onClose: () => void }): JSX.Element {
  const [rules, setRules] = useState<readonly WeightRuleResource[]>(weights.rules);
  const [pins, setPins] = useState<readonly TaskPinResource[]>(weights.pins);
  const set = useSetWeights();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    set.mutate({ rules: [...rules], pins: [...pins] }, { onSuccess: onClose });
  };
  return (
    <form className="form" onSubmit={submit}>
      {rules.map((rule, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rules have no names, and their order counts
        <RuleFields key={index} number={index + 1} rule={rule} onChange={(changed) => setRules(replaced(rules, index, changed))} />
      ))}
      {pins.map((pin, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the stream is what is being typed
        <PinFields key={index} number={index + 1} pin={pin} onChange={(changed) => setPins(replaced(pins, index, changed))} />
      ))}
      <Standing problem={set.error} isLoading={false} />
      <div className="form-buttons">
        <button type="button" className="button" onClick={() => setRules([...rules, NEW_RULE])}>
          One more rule
        </button>
        <button type="button" className="button" onClick={() => setPins([...pins, NEW_PIN])}>
          One more pin
        </button>
        <button type="submit" className="button primary" disabled={set.isPending}>
          Save
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** The list with another item in that place, or without it. */
const replaced = <Item,>(list: readonly Item[], index: number, item: Item | undefined): readonly Item[] =>
  list.flatMap((other, at) => (at !== index ? [other] : item === undefined ? [] : [item]));

function RuleFields({
  number,
  rule,
  onChange,
}: {
  readonly number: number;
  readonly rule: WeightRuleResource;
  readonly onChange: (rule: WeightRuleResource | undefined) => void;
}): JSX.Element {
  return (
    <fieldset className="rung">
      <legend>Rule {number}</legend>
      <div className="fields narrow">
        <TextField label="App" value={rule.app} onChange={(app) => onChange({ ...rule, app })} isRequired />
        <TextField label="Stream" value={rule.stream} onChange={(stream) => onChange({ ...rule, stream })} isRequired />
        <TextField label="Rung" value={rule.rung} onChange={(rung) => onChange({ ...rule, rung })} isRequired />
        <TextField
          label="Viewers from"
          type="number"
          value={String(rule.viewersMin)}
          onChange={(viewers) => onChange({ ...rule, viewersMin: Number(viewers) })}
        />
        <TextField
          label="Weight"
          type="number"
          value={String(rule.weight)}
          onChange={(weight) => onChange({ ...rule, weight: Number(weight) })}
        />
        <LeaveOut what={`rule ${number}`} onClick={() => onChange(undefined)} />
      </div>
    </fieldset>
  );
}

function PinFields({
  number,
  pin: { stream, rung = '', node = '' },
  onChange,
}: {
  readonly number: number;
  readonly pin: TaskPinResource;
  readonly onChange: (pin: TaskPinResource | undefined) => void;
}): JSX.Element {
  const change = (part: { stream?: string; rung?: string; node?: string }): void => {
    const next = { stream, rung, node, ...part };
    onChange({
      stream: next.stream,
      ...(next.rung === '' ? {} : { rung: next.rung }),
      ...(next.node === '' ? {} : { node: next.node }),
    });
  };
  return (
    <fieldset className="rung">
      <legend>Pin {number}</legend>
      <div className="fields narrow">
        <TextField label="Stream" value={stream} onChange={(value) => change({ stream: value })} isRequired placeholder="app/name" />
        <TextField label="Rung" value={rung} onChange={(value) => change({ rung: value })} placeholder="all" />
        <TextField label="Node" value={node} onChange={(value) => change({ node: value })} placeholder="any" />
        <LeaveOut what={`pin ${number}`} onClick={() => onChange(undefined)} />
      </div>
    </fieldset>
  );
}

const LeaveOut = ({ what, onClick }: { readonly what: string; readonly onClick: () => void }): JSX.Element => (
  <button type="button" className="button danger-text" aria-label={`Leave out ${what}`} onClick={onClick}>
    Leave out
  </button>
);
