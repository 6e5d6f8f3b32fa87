import { shortened, smallBytes } from './small-bytes.ts';

// Pure rooms see neither Node nor the DOM, where TextEncoder is declared; both runtimes have it.
declare const TextEncoder: new () => {
  encode(text: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { readonly written: number };
};
declare const TextDecoder: new (label: 'utf-8') => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** A UTF-16 code unit becomes no more bytes. */
const BYTES_PER_UNIT_MAX = 3;
/** Longer texts are left to the encoder, which makes an array of just their length. */
const SMALL_UNITS_MAX = 1_300;

/** UTF-8 bytes of `text`, newly made; their `buffer` may have others in it. */
export function utf8Encode(text: string): Uint8Array {
  if (text.length > SMALL_UNITS_MAX) return encoder.encode(text);
  const bytes = smallBytes(text.length * BYTES_PER_UNIT_MAX);
  return shortened(bytes, encoder.encodeInto(text, bytes).written);
}

/** Text of borrowed UTF-8 bytes; ill-formed sequences become U+FFFD. */
export const utf8Decode = (bytes: Uint8Array): string => decoder.decode(bytes);
