import { type JSX, useId, useRef, useState } from 'react';

const THANKS_MS = 1600;

/** A text to take along: shown in a field, with a button that copies it. */
export function CopyField({ label, value }: { readonly label: string; readonly value: string }): JSX.Element {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [outcome, setOutcome] = useState('');
  const copy = async (): Promise<void> => {
    setOutcome((await copied(value, field.current)) ? 'Copied' : 'Press Ctrl+C');
    setTimeout(() => setOutcome(''), THANKS_MS);
  };
  return (
    <div className="copy-field">
      <label htmlFor={id}>{label}</label>
      <input id={id} ref={field} readOnly value={value} onFocus={(event) => event.target.select()} />
      <button type="button" className="button" onClick={() => void copy()} aria-label={outcome || `Copy ${label}`}>
        {outcome || 'Copy'}
      </button>
      <span className="visually-hidden" role="status">
        {outcome}
      </span>
    </div>
  );
}

// The clipboard API exists on https and localhost only; on a plain http address the old command still works.
async function copied(text: string, field: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return document.execCommand('copy');
  }
}
