import type { JSX } from 'react';

const PATHS = {
  play: 'M7 4.5v15l12.5-7.5z',
  pause: 'M6.5 4.5h4v15h-4zM13.5 4.5h4v15h-4z',
  sound: 'M4 9v6h4l5 4.5v-15L8 9zM16 8.2c2 2 2 5.6 0 7.6M18.6 5.6c3.5 3.5 3.5 9.3 0 12.8',
  muted: 'M4 9v6h4l5 4.5v-15L8 9zM16.5 9.5l5 5M21.5 9.5l-5 5',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  shrink: 'M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5',
  picture: 'M3.5 5h17v14h-17zM12 12h6v4.5h-6z',
  figures: 'M4 20V11M9.3 20V5M14.6 20v-7M20 20V8',
  help: 'M9 9.2a3 3 0 1 1 4.4 2.7c-1 .6-1.4 1.1-1.4 2.3M12 17.6v.2',
  light:
    'M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  system: 'M3.5 4.5h17v11h-17zM9 20h6M12 15.5V20',
  close: 'M6 6l12 12M18 6L6 18',
} as const;

const FILLED: ReadonlySet<string> = new Set(['play', 'pause']);

/** A picture beside or instead of words; the words are for the caller to give. */
export function Icon({ name, size = 20 }: { readonly name: keyof typeof PATHS; readonly size?: number }): JSX.Element {
  const fill = FILLED.has(name);
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      fill={fill ? 'currentColor' : 'none'}
      stroke={fill ? 'none' : 'currentColor'}
    >
      <path d={PATHS[name]} strokeWidth="1.9" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
