import { type JSX, type ReactNode, useEffect, useId } from 'react';
import type { ApiProblem } from './api-client.ts';

/** A figure with its name. */
export function Figure({
  label,
  value,
  note,
}: {
  readonly label: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
}): JSX.Element {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd>
        {value}
        {note !== undefined && <span className="figure-note">{note}</span>}
      </dd>
    </div>
  );
}

/** How much of something is used, with words beside the bar; without a bar where the whole is not known. */
export function Meter({
  label,
  share,
  words,
}: {
  readonly label: ReactNode;
  readonly share: number | undefined;
  readonly words: string;
}): JSX.Element {
  const id = useId();
  const grade = share === undefined || share < 0.75 ? 'fine' : share < 0.9 ? 'high' : 'full';
  return (
    <div className="meter-row">
      <span id={id}>{label}</span>
      {share === undefined ? (
        <span />
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: browsers draw a meter element each in a way of their own
        <span
          role="meter"
          className={`meter ${grade}`}
          aria-labelledby={id}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
          aria-valuetext={words}
        >
          <span style={{ width: `${share * 100}%` }} />
        </span>
      )}
      <span className="meter-words">{words}</span>
    </div>
  );
}

/** What went wrong, or that something is on its way; nothing when there is an answer and no problem. */
export function Standing({ problem, isLoading }: { readonly problem: ApiProblem | null; readonly isLoading: boolean }): JSX.Element | null {
  if (problem !== null)
    return (
      <p className="notice bad" role="alert">
        {problem.message}
      </p>
    );
  return isLoading ? <p className="note">Loading …</p> : null;
}

/** The head of a page: its name, and what belongs beside it. */
export function PageTitle({ title, children }: { readonly title: string; readonly children?: ReactNode }): JSX.Element {
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  return (
    <div className="page-title">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

/** A place that the page may scroll sideways, and that the keyboard reaches. */
export function Scrolled({ label, children }: { readonly label: string; readonly children: ReactNode }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it with the arrow keys
    <section className="scrolled" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

/** What a page says that is about a cluster, on a node of its own. */
export function AloneNotice({ what }: { readonly what: string }): JSX.Element {
  return (
    <div className="panel alone">
      <p className="empty-title">This node is on its own</p>
      <p className="note">{what}</p>
      <p className="note">
        Make it the first of a cluster with <code>cluster.found: true</code>, create a token with <code>sluice tokens create</code>, and let
        others in with <code>sluice join</code>. To try it out on this machine: <code>sluice dev</code>.
      </p>
    </div>
  );
}
