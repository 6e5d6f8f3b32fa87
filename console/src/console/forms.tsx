import { type JSX, type ReactNode, useId } from 'react';
import './forms.css';
import { Standing } from './parts.tsx';
import type { Change } from './queries.ts';

interface FieldProps {
  readonly label: string;
  readonly note?: ReactNode;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** What ties a control to its name and to what there is to say about it. */
interface Ties {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
}

/** A control with its name above and its note below. */
function Field({
  label,
  note,
  control,
}: Pick<FieldProps, 'label' | 'note'> & { readonly control: (ties: Ties) => ReactNode }): JSX.Element {
  const id = useId();
  const noteId = `${id}-note`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {control({ id, 'aria-describedby': note === undefined ? undefined : noteId })}
      {note !== undefined && (
        <p id={noteId} className="note">
          {note}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps extends FieldProps {
  readonly isRequired?: boolean;
  readonly placeholder?: string;
  /** What the text has to be like as a whole, as a regular expression, and that in words. */
  readonly pattern?: readonly [pattern: string, words: string];
  readonly lengthMax?: number;
  readonly type?: 'text' | 'password' | 'number' | 'url';
}

/** A line of text. */
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
  return (
    <Field
      label={label}
      note={note}
      control={(ties) => (
        <input
          {...ties}
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
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    />
  );
}

const NOTE_LENGTH_MAX = 100;

/** What somebody writes to know a thing by. */
export function NoteField({
  value,
  onChange,
  note = 'To know it by',
  placeholder,
}: Pick<FieldProps, 'value' | 'onChange' | 'note'> & { readonly placeholder?: string }): JSX.Element {
  return (
    <TextField
      label="Note"
      value={value}
      onChange={onChange}
      lengthMax={NOTE_LENGTH_MAX}
      note={note}
      {...(placeholder === undefined ? {} : { placeholder })}
    />
  );
}

/** A text of several lines. */
export function AreaField({ label, note, value, onChange, placeholder }: FieldProps & { readonly placeholder?: string }): JSX.Element {
  return (
    <Field
      label={label}
      note={note}
      control={(ties) => (
        <textarea
          {...ties}
          rows={4}
          value={value}
          placeholder={placeholder}
          spellCheck={false}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    />
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
  return (
    <Field
      label={label}
      note={note}
      control={(ties) => (
        <select {...ties} value={value} onChange={({ target }) => onChange(target.value)}>
          {choices.map(([choice, words]) => (
            <option key={choice} value={choice}>
              {words}
            </option>
          ))}
        </select>
      )}
    />
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

/** Some of several. */
export function ChecksField<Choice extends string>({
  label,
  choices,
  chosen,
  onChange,
}: {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: readonly Choice[];
  readonly onChange: (chosen: readonly Choice[]) => void;
}): JSX.Element {
  return (
    <fieldset>
      <legend>{label}</legend>
      <div className="checks">
        {choices.map((choice) => (
          <CheckField
            key={choice}
            label={choice}
            isChecked={chosen.includes(choice)}
            onChange={(isChecked) => onChange(isChecked ? [...chosen, choice] : chosen.filter((other) => other !== choice))}
          />
        ))}
      </div>
    </fieldset>
  );
}

/** The end of a form that stays on its page: what the server says against it, the button, and that it was saved. */
export function SaveRow<Wish, Made>({
  change: { error, isPending, isSuccess },
  children,
}: {
  readonly change: Pick<Change<Wish, Made>, 'error' | 'isPending' | 'isSuccess'>;
  /** Other buttons. */
  readonly children?: ReactNode;
}): JSX.Element {
  return (
    <>
      <Standing problem={error} isLoading={false} />
      <div className="form-buttons">
        <button type="submit" className="button primary" disabled={isPending}>
          Save
        </button>
        {children}
        <span className="note" role="status">
          {isSuccess ? 'Saved, on all nodes.' : ''}
        </span>
      </div>
    </>
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
