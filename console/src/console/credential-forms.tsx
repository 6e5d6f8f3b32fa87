import { type JSX, type ReactNode, useState } from 'react';
import { ConfirmDialog } from './dialogs.tsx';
import { NoteField, SelectField } from './forms.tsx';
import type { Change } from './queries.ts';
import { EXPIRIES } from './spans.ts';

/** For how long a new key or token counts, and what it is known by, as far as it is typed. */
interface Term {
  /** Seconds; empty: for ever. */
  readonly expiry: string;
  readonly setExpiry: (seconds: string) => void;
  readonly note: string;
  readonly setNote: (note: string) => void;
}

export function useTerm(firstExpiry = ''): Term {
  const [expiry, setExpiry] = useState(firstExpiry);
  const [note, setNote] = useState('');
  return { expiry, setExpiry, note, setNote };
}

export function ExpiryField({ term, choices = EXPIRIES }: { readonly term: Term; readonly choices?: typeof EXPIRIES }): JSX.Element {
  return <SelectField label="It counts" value={term.expiry} onChange={term.setExpiry} choices={choices} />;
}

export function TermNoteField({ term, ...rest }: { readonly term: Term; readonly placeholder?: string }): JSX.Element {
  return <NoteField value={term.note} onChange={term.setNote} {...rest} />;
}

/** Asks before a key or token is deleted. */
export function DeleteCredential({
  what,
  id,
  change,
  onClose,
  children,
}: {
  /** Its last word says what is deleted: `API key`. */
  readonly what: string;
  readonly id: string;
  readonly change: Change<string>;
  readonly onClose: () => void;
  /** What follows from it. */
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <ConfirmDialog
      title={`Delete the ${what} ${id}?`}
      action={`Delete the ${what.split(' ').at(-1)}`}
      change={change}
      wish={id}
      onClose={onClose}
    >
      <p>{children}</p>
    </ConfirmDialog>
  );
}
