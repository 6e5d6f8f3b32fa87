import { decodeVersioned, encodeVersioned, isStreamPattern, readAmount, readText, type UnknownFields } from '../core/mod.ts';

/** How much a viewer of some rungs counts; the first rule that matches decides. */
export interface WeightRule {
  /** Pattern of the app's name; `*` stands for any characters. */
  readonly app: string;
  /** Pattern of the stream's name. */
  readonly stream: string;
  /** Pattern of the rung's name. */
  readonly rung: string;
  /** Only for streams with at least so many viewers, of their source and all their rungs, on all nodes together. */
  readonly viewersMin: number;
  /** 0: never made. 1 is what a viewer counts without a rule. */
  readonly weight: number;
}

/** A stream, or one rung of it, that comes before all that is not pinned while somebody wants it. */
export interface TaskPin {
  /** `app/name`. */
  readonly stream: string;
  /** Undefined: all its rungs. */
  readonly rung: string | undefined;
  /** The node that is to make it while that takes tasks; undefined: any. */
  readonly node: string | undefined;
}

/** What transcoding is given first when there is not enough for all, as the store keeps it under {@link TRANSCODING_KEY}. */
export interface TranscodingWeights {
  readonly v: 1;
  readonly rules: readonly WeightRule[];
  readonly pins: readonly TaskPin[];
}

export const TRANSCODING_KEY = 'settings/transcoding';
export const WEIGHT_RULES_MAX = 200;
export const TASK_PINS_MAX = 500;
export const WEIGHT_MAX = 1_000_000;
const NAME_LENGTH_MAX = 64;
const STREAM_LENGTH_MAX = 129;

export const NO_WEIGHTS: TranscodingWeights = { v: 1, rules: [], pins: [] };

export const encodeWeights = (weights: TranscodingWeights): Uint8Array => encodeVersioned(weights);

/** Reads borrowed bytes; undefined for what needs a newer reader, or is by nobody of ours. Rules and pins that cannot be read are left out. */
export function decodeWeights(bytes: Uint8Array): TranscodingWeights | undefined {
  const fields = decodeVersioned(bytes);
  if (fields === undefined) return undefined;
  return {
    v: 1,
    rules: objects(fields['rules'], WEIGHT_RULES_MAX).flatMap((rule) => readRule(rule) ?? []),
    pins: objects(fields['pins'], TASK_PINS_MAX).flatMap((pin) => readPin(pin) ?? []),
  };
}

const objects = (value: unknown, max: number): readonly UnknownFields[] =>
  Array.isArray(value)
    ? value.slice(0, max).filter((entry): entry is UnknownFields => typeof entry === 'object' && entry !== null && !Array.isArray(entry))
    : [];

function readRule(fields: UnknownFields): WeightRule | undefined {
  const app = readPattern(fields['app']);
  const stream = readPattern(fields['stream']);
  const rung = readPattern(fields['rung']);
  const weight = readAmount(fields['weight']);
  if (app === undefined || stream === undefined || rung === undefined || weight === undefined || weight > WEIGHT_MAX) return undefined;
  return { app, stream, rung, viewersMin: readAmount(fields['viewersMin']) ?? 0, weight };
}

/** Absent: any name. */
function readPattern(value: unknown): string | undefined {
  const text = readText(value ?? '*', NAME_LENGTH_MAX);
  return text !== undefined && isStreamPattern(text) ? text : undefined;
}

function readPin(fields: UnknownFields): TaskPin | undefined {
  const stream = readText(fields['stream'], STREAM_LENGTH_MAX);
  if (stream === undefined || !stream.includes('/')) return undefined;
  return { stream, rung: readText(fields['rung'], NAME_LENGTH_MAX), node: readText(fields['node'], NAME_LENGTH_MAX) };
}
