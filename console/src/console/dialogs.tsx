import { type FormEvent, type JSX, type ReactNode, useEffect, useId, useRef } from 'react';
import type { ApiProblem } from './api-client.ts';
import './forms.css';
import { Standing } from './parts.tsx';
import type { Change } from './queries.ts';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A window over the page; the browser's own dialog keeps the focus in and gives it back. */
function Dialog({ title, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onClose={onClose} onCancel={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ChangeDialogProps<Wish, Made> extends DialogProps {
  /** What the button says that carries it out. */
  readonly action: string;
  readonly change: Change<Wish, Made>;
  readonly wish: Wish;
  /** Not before the wish is complete. */
  readonly isReady?: boolean;
  /** Told when it is carried out; the window closes unless given. */
  readonly onDone?: (made: Made) => void;
}

interface ChangeButtonsProps {
  readonly onClose: () => void;
  /** What carries it out. */
  readonly children: ReactNode;
  readonly problem: ApiProblem | null;
}

/** What ends a window that changes something: what the server says against it, the way out, and what carries it out. */
function ChangeButtons({ onClose, children, problem }: ChangeButtonsProps): JSX.Element {
  return (
    <>
      <Standing problem={problem} isLoading={false} />
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        {children}
      </div>
    </>
  );
}

/** Asks before something that cannot be taken back, and carries it out. */
export function ConfirmDialog<Wish, Made>({
  title,
  action,
  change,
  wish,
  isReady = true,
  onClose,
  onDone = onClose,
  children,
}: ChangeDialogProps<Wish, Made>): JSX.Element {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <ChangeButtons problem={change.error} onClose={onClose}>
        <button
          type="button"
          className="button danger"
          disabled={change.isPending || !isReady}
          onClick={() => change.mutate(wish, { onSuccess: onDone })}
        >
          {action}
        </button>
      </ChangeButtons>
    </Dialog>
  );
}

/** A form in a window that carries out what is typed, with what the server says against it. */
export function FormDialog<Wish, Made>({
  title,
  action,
  change,
  wish,
  isReady = true,
  onClose,
  onDone = onClose,
  children,
}: ChangeDialogProps<Wish, Made>): JSX.Element {
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate(wish, { onSuccess: onDone });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {children}
        <ChangeButtons problem={change.error} onClose={onClose}>
          <button type="submit" className="button primary" disabled={change.isPending || !isReady}>
            {action}
          </button>
        </ChangeButtons>
      </form>
    </Dialog>
  );
}

/** What is shown this once: whoever closes it without having copied it makes another. */
export function SecretDialog({ title, onClose, children }: DialogProps): JSX.Element {
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
