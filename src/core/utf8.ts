// Pure rooms see neither Node nor the DOM, where TextEncoder is declared; both runtimes have it.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (label: 'utf-8') => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** UTF-8 bytes of `text`, newly made. */
export const utf8Encode = (text: string): Uint8Array => encoder.encode(text);
/** Text of borrowed UTF-8 bytes; ill-formed sequences become U+FFFD. */
export const utf8Decode = (bytes: Uint8Array): string => decoder.decode(bytes);
