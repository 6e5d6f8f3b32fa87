/** What came of a request to a hook. */
export type HookOutcome =
  | { readonly status: number; readonly body: string }
  /** No answer that can be used, with a code that is never renamed and a sentence. */
  | { readonly failed: HookFailure; readonly detail: string };

export type HookFailure = 'timeout' | 'unreachable' | 'refused-address' | 'redirect' | 'answer-too-long' | 'busy' | 'newer';

export type HookVerdict =
  | { readonly kind: 'allowed' }
  /** `reason` is clean; empty where the hook gave none. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Whoever asked goes by what is set for this. */
  | { readonly kind: 'down'; readonly detail: string };

const REASON_LENGTH_MAX = 200;
// Control characters, what turns the direction of writing, unpaired surrogates and the like: what is shown has to be what was meant.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]+/gu;

/** A text of somebody else, so that it may stand in a line of a log or an answer. */
export function cleanText(text: string, lengthMax: number): string {
  const clean = text
    .slice(0, lengthMax * 4)
    .replaceAll(UNPRINTABLE, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return Array.from(clean).slice(0, lengthMax).join('');
}

/** What an admission hook has said: 204, or 2xx with `{"allow": true}`; 403, or 2xx with `{"allow": false}`. Everything else is none of an answer. */
export function verdictOf(outcome: HookOutcome): HookVerdict {
  if ('failed' in outcome) return { kind: 'down', detail: outcome.detail };
  const { status, body } = outcome;
  if (status === 204) return { kind: 'allowed' };
  const answer = parsed(body);
  if (status === 403) return { kind: 'refused', reason: reasonOf(answer) };
  if (status < 200 || status > 299) return { kind: 'down', detail: `it answers with status ${status}` };
  if (answer?.['allow'] === true) return { kind: 'allowed' };
  if (answer?.['allow'] === false) return { kind: 'refused', reason: reasonOf(answer) };
  return { kind: 'down', detail: 'its answer is not {"allow": true} or {"allow": false}' };
}

function parsed(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(answer: Readonly<Record<string, unknown>> | undefined): string {
  const reason = answer?.['reason'];
  return typeof reason === 'string' ? cleanText(reason, REASON_LENGTH_MAX) : '';
}
