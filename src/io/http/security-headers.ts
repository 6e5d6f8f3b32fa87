import { createHash } from 'node:crypto';
import { PAGE_STYLE } from '../../api/mod.ts';

const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  `style-src 'self' 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'`,
  "img-src 'self' data: blob:",
  // hls.js plays from Media Source blobs and demultiplexes in a worker made of one.
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
];

const ALWAYS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/** What a page may do: nothing in particular; stand in another site's frame; use camera, microphone and screen. */
export type PageRights = 'plain' | 'embeddable' | 'capture';

/** What pages may ask besides their own server: the nodes of its cluster, to which it sends them on. Which ones is not known when a page is sent. */
const OTHER_NODES = 'http: https:';

/** Headers of pages. Only an embedded watch page may stand in another site's frame, only the publish page may look and listen. */
export function pageHeaders(rights: PageRights, isInCluster: boolean): Record<string, string> {
  const isEmbeddable = rights === 'embeddable';
  const allowed = rights === 'capture' ? '(self)' : '()';
  return {
    ...ALWAYS,
    'content-security-policy': [
      ...POLICY,
      `connect-src 'self'${isInCluster ? ` ${OTHER_NODES}` : ''}`,
      `frame-ancestors ${isEmbeddable ? '*' : "'self'"}`,
    ].join('; '),
    'permissions-policy': ['camera', 'microphone', 'display-capture'].map((feature) => `${feature}=${allowed}`).join(', '),
    // An embedded page is loaded by sites with Cross-Origin-Embedder-Policy, too.
    ...(isEmbeddable ? { 'cross-origin-resource-policy': 'cross-origin' } : {}),
  };
}

/** Headers of answers that are not pages. */
export const dataHeaders: Readonly<Record<string, string>> = {
  ...ALWAYS,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};
