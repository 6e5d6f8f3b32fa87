import type { Answer } from './presence.ts';

/** A quality that the stream should have and that is not made for now. */
export interface MissingQuality {
  readonly label: string;
  /** The server's words. */
  readonly reason: string;
}

const STATES: readonly unknown[] = ['refused', 'failed'];
const QUALITIES_MAX = 32;

/** The qualities that the API's account of a stream tells to be missing; none for what is no such account. */
export function missingQualitiesOf(api: Answer | undefined): readonly MissingQuality[] {
  if (api?.status !== 200) return [];
  const rungs = fieldsOf(jsonOf(api.body))['rungs'];
  if (!Array.isArray(rungs)) return [];
  return rungs.slice(0, QUALITIES_MAX).flatMap((rung: unknown) => {
    const { name, kind, state, reason } = fieldsOf(rung);
    if (typeof name !== 'string' || kind !== 'video' || !STATES.includes(state)) return [];
    return [{ label: name, reason: typeof reason === 'string' && reason !== '' ? reason : 'it is not made for now' }];
  });
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
