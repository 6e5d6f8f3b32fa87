import type { PlayerFigures } from './player-figures.ts';

declare global {
  interface Window {
    /** What the player measures, read afresh at each access; see docs/watch-page.md. Read-only. */
    readonly sluice?: PlayerFigures;
  }
}

/** Puts `window.sluice` there, for tests and for curious people. Every property is a getter; nothing can be written. */
export function exposeFigures(figures: () => PlayerFigures): void {
  const properties: PropertyDescriptorMap = {};
  for (const key of Object.keys(figures()) as (keyof PlayerFigures)[]) properties[key] = { enumerable: true, get: () => figures()[key] };
  Object.defineProperty(window, 'sluice', {
    configurable: false,
    writable: false,
    value: Object.freeze(Object.defineProperties({}, properties)),
  });
}
