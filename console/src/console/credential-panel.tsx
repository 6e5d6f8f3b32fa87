import { type Dispatch, type JSX, type ReactNode, type SetStateAction, useState } from 'react';
import { PanelHead } from './forms.tsx';
import { RowButton, StackTable } from './stack-table.tsx';

interface Credential {
  readonly id: string;
}

/** A column of the list; the first one names the row. */
export interface CredentialColumn<Item> {
  readonly title: string;
  readonly cell: (item: Item, nowMs: number) => ReactNode;
}

/** Something that may be done with one of them: a button in its row, which opens a window. */
export interface CredentialAction<Item, Made> {
  readonly verb: string;
  /** Whose id it is, where the button's name has to say that. */
  readonly what?: string;
  readonly isDangerous?: boolean;
  readonly dialog: (item: Item, onClose: () => void, made: (made: Made) => void) => JSX.Element;
}

interface CredentialPanelProps<Item, Made> {
  /** Of the heading. */
  readonly id: string;
  readonly title: string;
  readonly items: readonly Item[];
  readonly columns: readonly CredentialColumn<Item>[];
  /** What may be done; who may do nothing sees the list alone. */
  readonly mayChange: boolean;
  readonly actions?: readonly CredentialAction<Item, Made>[];
  /** The button that makes another one, and the form behind it. */
  readonly make: {
    readonly words: string;
    readonly isPlain?: boolean;
    readonly form: (onClose: () => void, made: (made: Made) => void) => JSX.Element;
  };
  /** Shows what was just made, this once; absent where there is nothing to show. */
  readonly secret?: (made: Made, onClose: () => void) => JSX.Element | null;
  /** What stands between the heading and the list. */
  readonly standing?: ReactNode;
  /** What stands below the list. */
  readonly children?: ReactNode;
}

/** The one window that is open. */
type Open<Item, Made> =
  | { readonly kind: 'form' }
  | { readonly kind: 'action'; readonly action: CredentialAction<Item, Made>; readonly item: Item }
  | { readonly kind: 'secret'; readonly made: Made };

/** Keys or tokens of one kind: a list, a form that makes another, its secret shown once, and what may be done with each after a question. */
export function CredentialPanel<Item extends Credential, Made>(props: CredentialPanelProps<Item, Made>): JSX.Element {
  const { id, title, items, mayChange, make, standing, children } = props;
  const [open, setOpen] = useState<Open<Item, Made>>();
  return (
    <section className="panel" aria-labelledby={id}>
      <PanelHead id={id} title={title}>
        {mayChange && (
          <button type="button" className={make.isPlain ? 'button' : 'button primary'} onClick={() => setOpen({ kind: 'form' })}>
            {make.words}
          </button>
        )}
      </PanelHead>
      {standing}
      {items.length > 0 && <CredentialTable {...props} ask={(action, item) => setOpen({ kind: 'action', action, item })} />}
      {children}
      {open && windowOf(open, props, setOpen)}
    </section>
  );
}

function windowOf<Item, Made>(
  open: Open<Item, Made>,
  { make, secret }: Pick<CredentialPanelProps<Item, Made>, 'make' | 'secret'>,
  setOpen: Dispatch<SetStateAction<Open<Item, Made> | undefined>>,
): JSX.Element | null {
  // A window that has gone already may say so late: the next one stays.
  const close = (): void => setOpen((now) => (now === open ? undefined : now));
  const made = (one: Made): void => setOpen(secret === undefined ? undefined : { kind: 'secret', made: one });
  switch (open.kind) {
    case 'form':
      return make.form(close, made);
    case 'action':
      return open.action.dialog(open.item, close, made);
    case 'secret':
      return secret?.(open.made, close) ?? null;
  }
}

function CredentialTable<Item extends Credential, Made>({
  title,
  items,
  columns: [name, ...columns],
  mayChange,
  actions = [],
  ask,
}: CredentialPanelProps<Item, Made> & { readonly ask: (action: CredentialAction<Item, Made>, item: Item) => void }): JSX.Element {
  const nowMs = Date.now();
  const hasButtons = mayChange && actions.length > 0;
  return (
    <StackTable label={`${title}, one a row`} heads={[name, ...columns].map((column) => column?.title ?? '')} hasButtons={hasButtons}>
      {items.map((item) => (
        <tr key={item.id}>
          <th scope="row" className="id">
            {name?.cell(item, nowMs)}
          </th>
          {columns.map((column) => (
            <td key={column.title} data-label={column.title}>
              {column.cell(item, nowMs)}
            </td>
          ))}
          {hasButtons && (
            <td>
              <RowButtons item={item} actions={actions} ask={ask} />
            </td>
          )}
        </tr>
      ))}
    </StackTable>
  );
}

function RowButtons<Item extends Credential, Made>({
  item,
  actions,
  ask,
}: {
  readonly item: Item;
  readonly actions: readonly CredentialAction<Item, Made>[];
  readonly ask: (action: CredentialAction<Item, Made>, item: Item) => void;
}): JSX.Element {
  return (
    <div className="row-buttons">
      {actions.map((action) => (
        <RowButton
          key={action.verb}
          words={`${action.verb} …`}
          name={[action.verb, ...(action.what === undefined ? [] : [action.what]), item.id].join(' ')}
          isDangerous={action.isDangerous ?? false}
          onClick={() => ask(action, item)}
        />
      ))}
    </div>
  );
}
