import { type JSX, type ReactNode, useState } from 'react';
import { Icon } from './icons.tsx';
import logo from './sluice.svg';
import { applyTheme, nextTheme, storedTheme } from './theme.ts';

/** Top of every page: the way home, what the page adds, and the theme. */
export function PageHeader({ children }: { readonly children?: ReactNode }): JSX.Element {
  const [theme, setTheme] = useState(storedTheme);
  const change = (): void => {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <header className="page-header">
      <a className="brand" href="/" aria-label="Sluice, all live streams">
        <img src={logo} width="28" height="28" alt="" />
        Sluice
      </a>
      {children}
      <button
        type="button"
        className="icon-button"
        onClick={change}
        aria-label={`Colours: ${theme}. Change to ${nextTheme(theme)}`}
        title={`Colours: ${theme}`}
      >
        <Icon name={theme} />
      </button>
    </header>
  );
}
