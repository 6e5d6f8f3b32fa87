import { type FormEvent, type JSX, type ReactNode, useId } from 'react';
import type { ApiProblem } from './api-client.ts';
import './forms.css';
import { Dialog, Standing } from './parts.tsx';

interface FieldProps {
  readonly label: string;
  readonly note?: ReactNode;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

interface TextFieldProps extends FieldProps {
  readonly isRequired?: boolean;
  readonly placeholder?: string;
  /** What the text has to be like as a whole, as a regular expression, and that in words. */
  readonly pattern?: readonly [pattern: string, words: string];
  readonly lengthMax?: number;
  readonly type?: 'text' | 'password' | 'number' | 'url';
}

/** A line of text with its name and what there is to say about it. */
export function TextField({
  label,
  note,
  value,
  onChange,
  isRequired,
  placeholder,
  pattern,
  lengthMax,
  type,
}: TextFieldProps): JSX.Element {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type ?? 'text'}
        step={type === 'number' ? 'any' : undefined}
        value={value}
        required={isRequired}
        placeholder={placeholder}
        pattern={pattern?.[0]}
        title={pattern?.[1]}
        maxLength={lengthMax}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onChange={({ target }) => onChange(target.value)}
      />
      {note !== undefined && <FieldNote id={id}>{note}</FieldNote>}
    </div>
  );
}

/** A text of several lines. */
export function AreaField({ label, note, value, onChange, placeholder }: FieldProps & { readonly placeholder?: string }): JSX.Element {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        rows={4}
        value={value}
        placeholder={placeholder}
        spellCheck={false}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onChange={({ target }) => onChange(target.value)}
      />
      {note !== undefined && <FieldNote id={id}>{note}</FieldNote>}
    </div>
  );
}

/** One of several. */
export function SelectField({
  label,
  note,
  value,
  onChange,
  choices,
}: FieldProps & { readonly choices: readonly (readonly [value: string, words: string])[] }): JSX.Element {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onChange={({ target }) => onChange(target.value)}
      >
        {choices.map(([choice, words]) => (
          <option key={choice} value={choice}>
            {words}
          </option>
        ))}
      </select>
      {note !== undefined && <FieldNote id={id}>{note}</FieldNote>}
    </div>
  );
}

/** Yes or no. */
export function CheckField({
  label,
  isChecked,
  onChange,
}: {
  readonly label: ReactNode;
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
}): JSX.Element {
  return (
    <label className="check">
      <input type="checkbox" checked={isChecked} onChange={({ target }) => onChange(target.checked)} />
      <span>{label}</span>
    </label>
  );
}

function FieldNote({ id, children }: { readonly id: string; readonly children: ReactNode }): JSX.Element {
  return (
    <p id={`${id}-note`} className="note">
      {children}
    </p>
  );
}

/** A form in a window, with what the server says against it. */
export function FormDialog({
  title,
  action,
  isBusy,
  problem,
  onSubmit,
  onClose,
  children,
}: {
  readonly title: string;
  readonly action: string;
  readonly isBusy: boolean;
  readonly problem: ApiProblem | null;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): JSX.Element {
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {children}
        <Standing problem={problem} isLoading={false} />
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={isBusy}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What is shown this once: whoever closes it without having copied it makes another. */
export function SecretDialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="notice" role="status">
        This is shown now and never again. Copy it before you close this window.
      </p>
      {children}
      <div className="dialog-buttons">
        <button type="button" className="button primary" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

/** A heading of a panel with what can be done there. */
export function PanelHead({
  id,
  title,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly children?: ReactNode;
}): JSX.Element {
  return (
    <div className="panel-head">
      <h2 id={id}>{title}</h2>
      {children}
    </div>
  );
}
