/** Puts `window.sluice` there, for tests and for curious people. Every property is a getter; nothing can be written. */
export function exposeFigures<Figures extends object>(figures: () => Figures): void {
  const properties: PropertyDescriptorMap = {};
  for (const key of Object.keys(figures()) as (keyof Figures & string)[]) properties[key] = { enumerable: true, get: () => figures()[key] };
  Object.defineProperty(window, 'sluice', {
    configurable: false,
    writable: false,
    value: Object.freeze(Object.defineProperties({}, properties)),
  });
}
