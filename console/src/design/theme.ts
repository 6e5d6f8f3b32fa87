/** `system` follows the computer's own setting. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'sluice.theme';
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

/** The theme after this one, for a single button. */
export const nextTheme = (theme: Theme): Theme => NEXT[theme];

/** What was stored, taken for `system` when it is not a theme. */
export const parseTheme = (stored: string | null): Theme => (stored === 'light' || stored === 'dark' ? stored : 'system');

/** The viewer's choice of before; `system` too where the browser keeps no storage (a third party's frame). */
export function storedTheme(): Theme {
  try {
    return parseTheme(localStorage.getItem(KEY));
  } catch {
    return 'system';
  }
}

/** Shows the page in `theme` and remembers it. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // The choice holds for this page only.
  }
}
