const TAG = '#EXTM3U';
const BYTE_ORDER_MARK = '\ufeff';
const BYTE_ORDER_MARK_BYTES = 3;
/** A URI with its own scheme, or with its own host, wherever a playlist may have one: on a line of its own, or within quotes. */
const ABSOLUTE = /(^|["',\s])((?:https?:)?\/\/[^/?#"'\s,<>\\]+)([^"'\s<>]*)/gim;

/** Whether these are the first bytes of an HLS playlist (RFC 8216 4.3.1.1); undefined: too few to tell. */
export function isPlaylist(bytes: Uint8Array): boolean | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, TAG.length + BYTE_ORDER_MARK_BYTES)).toString('utf8');
  const text = head.startsWith(BYTE_ORDER_MARK) ? head.slice(1) : head;
  if (text.startsWith(TAG)) return true;
  return bytes.length < TAG.length + BYTE_ORDER_MARK_BYTES && TAG.startsWith(text) ? undefined : false;
}

/** A playlist whose absolute URLs are what `change` makes of them. Relative ones follow the playlist's own. */
export function rewritePlaylist(text: string, base: URL, change: (url: URL) => string): string {
  return text.replace(ABSOLUTE, (all, before: string, origin: string, rest: string) => {
    const written = `${origin}${rest}`;
    return URL.canParse(written, base.href) ? `${before}${change(new URL(written, base))}` : all;
  });
}
