/** leb128() of the AV1 specification (4.10.5) has at most 8 bytes; sizes that do not fit 32 bits are refused (4.10.5 as well). */
const BYTES_MAX = 8;
const VALUE_MAX = 2 ** 32 - 1;

/** Bytes that `value` takes. */
export function leb128Size(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Writes `value` and returns where the next byte goes. */
export function writeLeb128(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    bytes[at] = 0x80 | (rest % 0x80);
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

/** The value at `start` and where the next byte is; `undefined` when it is cut off or too large. */
export function readLeb128(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < BYTES_MAX; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return value > VALUE_MAX ? undefined : { value, end: start + index + 1 };
  }
  return undefined;
}
