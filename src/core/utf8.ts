// Pure rooms see neither Node nor the DOM, where TextEncoder is declared; both runtimes have it.
declare const TextEncoder: new () => {
  encode(text: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { readonly written: number };
};
declare const TextDecoder: new (label: 'utf-8') => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** Small texts are written here and copied: half of what it costs to let the encoder make the array. */
const scratch = new Uint8Array(16_384);
/** A UTF-16 code unit becomes no more bytes. */
const BYTES_PER_UNIT_MAX = 3;

/** UTF-8 bytes of `text`, newly made. */
export const utf8Encode = (text: string): Uint8Array =>
  text.length * BYTES_PER_UNIT_MAX > scratch.length ? encoder.encode(text) : scratch.slice(0, encoder.encodeInto(text, scratch).written);
/** Text of borrowed UTF-8 bytes; ill-formed sequences become U+FFFD. */
export const utf8Decode = (bytes: Uint8Array): string => decoder.decode(bytes);
