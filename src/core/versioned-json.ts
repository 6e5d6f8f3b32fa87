import { utf8Decode, utf8Encode } from './utf8.ts';

/** The newest version of most values in store and bus that this software can read; `v` of a value is the least version that its reader needs. */
const VERSION_MAX = 1;

/** The fields of a value from another node: nothing about them is known yet. */
export type UnknownFields = Readonly<Record<string, unknown>>;

/** A value of the store or the bus as bytes, newly made: UTF-8 JSON with the version in `v`. */
export const encodeVersioned = <Value extends { readonly v: number }>(value: Value): Uint8Array => utf8Encode(JSON.stringify(value));

/** Reads borrowed bytes; undefined when they are no JSON object, or of a version past `versionMax`. Fields that are not known are left in. */
export function decodeVersioned(bytes: Uint8Array, versionMax: number = VERSION_MAX): UnknownFields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(utf8Decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = value as UnknownFields;
  const version = fields['v'];
  return typeof version === 'number' && version >= 1 && version <= versionMax ? fields : undefined;
}

/** Whether newer software has written fields of the store: nobody may write over them who does not know what they are. */
export const areNewer = (fields: UnknownFields): boolean => Number(fields['v']) > VERSION_MAX;

/** {@link areNewer}, of borrowed bytes; what is no JSON is not. */
export function isNewer(bytes: Uint8Array): boolean {
  const fields = decodeVersioned(bytes, Number.POSITIVE_INFINITY);
  return fields !== undefined && areNewer(fields);
}

/** A finite number that is not negative, or undefined. */
export const readAmount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

/** An integer that counts something, or undefined. */
export const readCount = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;

/** A text of at most `lengthMax` characters, or undefined. */
export const readText = (value: unknown, lengthMax: number): string | undefined =>
  typeof value === 'string' && value.length <= lengthMax ? value : undefined;
