import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90s`, `30m`, `24h`, `7d`, or plain seconds, as seconds. */
export function parseSeconds(text: string): number {
  const [, figure, unit] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  if (figure === undefined) throw new InvalidArgumentError('give a time such as 90s, 30m, 24h or 7d');
  return Number(figure) * SECONDS[(unit === '' ? 's' : unit) as keyof typeof SECONDS];
}

/** A whole number from 1 on. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('give a whole number from 1 on');
  return Number(text);
}

/** Gathers an option that is given several times. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];
