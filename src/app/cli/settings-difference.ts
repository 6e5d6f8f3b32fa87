import type { SettingsDifferenceResource } from '../../api/mod.ts';

const GREEN = 32;
const RED = 31;
const YELLOW = 33;
const VALUE_LENGTH_MAX = 200;

/** Whether standard output is a terminal that shows colours. */
export const showsColours = (): boolean => process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';

/** What differs, a line each: `+` is added, `-` is taken away, `~` is another value. */
export function describeDifference(changes: readonly SettingsDifferenceResource[], isColoured: boolean): string {
  const paint = (colour: number, text: string): string => (isColoured ? `\u001b[${colour}m${text}\u001b[0m` : text);
  return changes
    .map(({ path, before, after }) => {
      if (before === undefined) return paint(GREEN, `+ ${path}: ${shown(after)}`);
      if (after === undefined) return paint(RED, `- ${path}: ${shown(before)}`);
      return `${paint(YELLOW, `~ ${path}:`)} ${paint(RED, shown(before))} -> ${paint(GREEN, shown(after))}`;
    })
    .join('\n');
}

/** A value on one line. What JSON writes out has no control characters, so it does nothing to a terminal. */
function shown(value: unknown): string {
  const text = (JSON.stringify(value) ?? '').replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?');
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}
