const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  // hls.js plays from Media Source blobs and demultiplexes in a worker made of one.
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
];

const ALWAYS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/** Headers of pages. Only an embedded watch page may stand in another site's frame. */
export function pageHeaders(isEmbeddable: boolean): Record<string, string> {
  const ancestors = isEmbeddable ? '*' : "'self'";
  return {
    ...ALWAYS,
    'content-security-policy': [...POLICY, `frame-ancestors ${ancestors}`].join('; '),
    // An embedded page is loaded by sites with Cross-Origin-Embedder-Policy, too.
    ...(isEmbeddable ? { 'cross-origin-resource-policy': 'cross-origin' } : {}),
  };
}

/** Headers of answers that are not pages. */
export const dataHeaders: Readonly<Record<string, string>> = {
  ...ALWAYS,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};
