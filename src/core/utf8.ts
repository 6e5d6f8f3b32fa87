// Pure rooms see neither Node nor the DOM, where TextEncoder is declared; both runtimes have it.
declare const TextEncoder: new () => {
  encode(text: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { readonly written: number };
};
declare const TextDecoder: new (label: 'utf-8') => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** Small texts share one buffer until it is full: an array with a buffer of its own costs four times as much, and work for the collector. */
const SHARED_BYTES = 8_192;
const SMALL_BYTES_MAX = 4_096;
/** A UTF-16 code unit becomes no more bytes. */
const BYTES_PER_UNIT_MAX = 3;
let shared = new Uint8Array(SHARED_BYTES);
let used = 0;

/** UTF-8 bytes of `text`, newly made; their `buffer` may have those of other texts in it. */
export function utf8Encode(text: string): Uint8Array {
  const most = text.length * BYTES_PER_UNIT_MAX;
  if (most > SMALL_BYTES_MAX) return encoder.encode(text);
  if (used + most > SHARED_BYTES) {
    shared = new Uint8Array(SHARED_BYTES);
    used = 0;
  }
  const from = used;
  used += encoder.encodeInto(text, shared.subarray(from, from + most)).written;
  return shared.subarray(from, used);
}

/** Text of borrowed UTF-8 bytes; ill-formed sequences become U+FFFD. */
export const utf8Decode = (bytes: Uint8Array): string => decoder.decode(bytes);
