import type { AccessGate } from '../access/mod.ts';

/** Lets everybody do everything, for tests of what comes behind it. */
export const openGate: AccessGate = {
  admit: (_request, decided) => decided('allowed'),
  isOpen: () => true,
  asksForPage: () => false,
};
