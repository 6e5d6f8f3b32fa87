import type { JSX, ReactNode } from 'react';
import { Scrolled } from './parts.tsx';

/** A table that becomes a list of its rows where the window is narrow. Cells name their column in `data-label`, where that does not go without saying. */
export function StackTable({
  label,
  heads,
  hasButtons = false,
  children,
}: {
  readonly label: string;
  readonly heads: readonly string[];
  /** Whether its rows end in buttons, whose column has no name. */
  readonly hasButtons?: boolean;
  /** The rows. */
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <Scrolled label={label}>
      <table className="stack">
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            {hasButtons && <td />}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Scrolled>
  );
}

/** A button of a row. */
export function RowButton({
  words,
  name,
  isDangerous = false,
  onClick,
}: {
  readonly words: string;
  /** Which row's it is, for who does not see that. */
  readonly name: string;
  readonly isDangerous?: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  return (
    <button type="button" className={isDangerous ? 'button danger-text' : 'button'} aria-label={name} onClick={onClick}>
      {words}
    </button>
  );
}
