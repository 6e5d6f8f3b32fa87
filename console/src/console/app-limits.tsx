import { type FormEvent, type JSX, useState } from 'react';
import type { AppResource } from '../../../src/api/access-contract.ts';
import type { AppUsageResource, LimitedAmount, LimitsResource } from '../../../src/api/limits-contract.ts';
import { formatBitrate } from '../figures/figures.ts';
import { useAppUsage, useChangeApp } from './access-queries.ts';
import { PanelHead, SaveRow, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { formatBytes, shareOf } from './node-figures.ts';
import { Figure, Meter } from './parts.tsx';
import { useMayChange } from './session-context.ts';

const count = (value: number): string => Math.round(value).toLocaleString('en');
const minutes = (value: number): string => `${count(value)} min`;

/** What an app uses on all nodes, beside what it may use. */
export function AppLimits({ app }: { readonly app: AppResource }): JSX.Element {
  const { data, error, isPending } = useAppUsage(app.name);
  return (
    <>
      <section className="panel" aria-labelledby="usage-title">
        <PanelHead id="usage-title" title="Usage" />
        <NeedsKey problem={error} isLoading={isPending} what="usage" />
        {data && <Usage usage={data} />}
      </section>
      {useMayChange() && <LimitsForm app={app} />}
    </>
  );
}

function Usage({ usage: { now, month } }: { readonly usage: AppUsageResource }): JSX.Element {
  return (
    <>
      <div className="meters usage-meters">
        <Amount label="Streams" amount={now.streams} format={count} />
        <Amount label="Viewers" amount={now.viewers} format={count} />
        <Amount label="Bitrate in" amount={now.bitrateInBps} format={formatBitrate} />
        <Amount label="Bitrate out" amount={now.bitrateOutBps} format={formatBitrate} />
        <Amount label="Transcoding" amount={month.transcodeMinutes} format={minutes} />
        <Amount label="Recording" amount={month.recordingMinutes} format={minutes} />
      </div>
      <h3>In {month.name}</h3>
      <dl className="figures">
        <Figure label="Transcoded" value={minutes(month.transcodeMinutes.used)} />
        <Figure label="Recorded" value={minutes(month.recordingMinutes.used)} />
        <Figure label="Watched" value={minutes(month.viewerMinutes)} />
        <Figure label="In" value={formatBytes(month.bytesIn)} />
        <Figure label="Out" value={formatBytes(month.bytesOut)} />
      </dl>
    </>
  );
}

function Amount({
  label,
  amount: { used, limit },
  format,
}: {
  readonly label: string;
  readonly amount: LimitedAmount;
  readonly format: (value: number) => string;
}): JSX.Element {
  const words = limit === null ? `${format(used)}, no limit` : `${format(used)} of ${format(limit)}`;
  // A limit of nothing is used up.
  return <Meter label={label} share={limit === null ? undefined : (shareOf(used, limit) ?? 1)} words={words} />;
}

/** What is typed, by what it is called; '' is no limit. Bitrates in Mbit/s. */
type Draft = Readonly<Record<keyof LimitsResource, string>>;

const FIELDS: readonly (readonly [key: keyof LimitsResource, label: string, unit: number])[] = [
  ['streams', 'Streams', 1],
  ['viewers', 'Viewers', 1],
  ['bitrateInBps', 'Bitrate in, Mbit/s', 1e6],
  ['bitrateOutBps', 'Bitrate out, Mbit/s', 1e6],
  ['transcodeMinutes', 'Transcoding a month, min', 1],
  ['recordingMinutes', 'Recording a month, min', 1],
];

const draftOf = (limits: LimitsResource): Draft =>
  Object.fromEntries(FIELDS.map(([key, , unit]) => [key, limits[key] === null ? '' : String(limits[key] / unit)])) as Draft;

const limitsOf = (draft: Draft): LimitsResource =>
  Object.fromEntries(
    FIELDS.map(([key, , unit]) => [key, draft[key].trim() === '' ? null : Math.round(Number(draft[key]) * unit)]),
  ) as unknown as LimitsResource;

function LimitsForm({ app }: { readonly app: AppResource }): JSX.Element {
  const [draft, setDraft] = useState(() => draftOf(app.limits));
  const change = useChangeApp(app.name);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate({ limits: limitsOf(draft) }, { onSuccess: ({ limits }) => setDraft(draftOf(limits)) });
  };
  return (
    <section className="panel" aria-labelledby="limits-title">
      <PanelHead id="limits-title" title="Limits" />
      <form className="form" onSubmit={submit}>
        <p className="note">Over the whole cluster. Empty: no limit. Who is there already stays.</p>
        <div className="fields">
          {FIELDS.map(([key, label]) => (
            <TextField
              key={key}
              label={label}
              value={draft[key]}
              onChange={(value) => {
                change.reset();
                setDraft({ ...draft, [key]: value });
              }}
              placeholder="no limit"
              pattern={['[0-9]*[.]?[0-9]*', 'A number, or nothing']}
            />
          ))}
        </div>
        <SaveRow change={change} />
      </form>
    </section>
  );
}
