/** What a key does on the watch page. */
export type PlayerAction = 'play' | 'mute' | 'fullscreen' | 'info' | 'live' | 'help';

/** The part of a KeyboardEvent that decides. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  /** Tag name of the focused element, e.g. `BUTTON`. */
  readonly focus: string;
}

/** The keys, for the help dialog; also what {@link playerAction} obeys. */
export const SHORTCUTS: readonly { readonly keys: readonly string[]; readonly label: string; readonly action: PlayerAction }[] = [
  { keys: ['Space', 'k'], label: 'Play or pause', action: 'play' },
  { keys: ['m'], label: 'Sound off or on', action: 'mute' },
  { keys: ['f'], label: 'Full screen', action: 'fullscreen' },
  { keys: ['l'], label: 'Jump to live', action: 'live' },
  { keys: ['i'], label: 'Figures', action: 'info' },
  { keys: ['?'], label: 'This list', action: 'help' },
];

const TYPING: ReadonlySet<string> = new Set(['INPUT', 'TEXTAREA', 'SELECT']);
const PRESSED_BY_SPACE: ReadonlySet<string> = new Set(['BUTTON', 'A', 'SUMMARY']);

/** The action of a key press, or `undefined` when the key belongs to the focused control or to the browser. */
export function playerAction(press: KeyPress): PlayerAction | undefined {
  if (press.ctrlKey || press.altKey || press.metaKey || TYPING.has(press.focus)) return undefined;
  if (press.key === ' ' && PRESSED_BY_SPACE.has(press.focus)) return undefined;
  const key = press.key === ' ' ? 'Space' : press.key.toLowerCase();
  return SHORTCUTS.find((shortcut) => shortcut.keys.includes(key))?.action;
}
