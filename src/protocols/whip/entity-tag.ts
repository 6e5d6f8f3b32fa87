const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e]*)"/g;
const OPAQUE = /^[\x21\x23-\x7e]{1,200}$/;

/** Whether `tag` can stand between the quotes of an entity tag (RFC 9110 8.8.3). */
export const isOpaqueTag = (tag: string): boolean => OPAQUE.test(tag) && tag !== '*';

/** A strong entity tag as a header has it. */
export const formatEntityTag = (tag: string): string => `"${tag}"`;

/** Whether an `If-Match` holds for a resource whose tag is `current`, by strong comparison (RFC 9110 13.1.1). */
export function isMatch(ifMatch: string, current: string): boolean {
  const value = ifMatch.trim();
  // RFC 9725 asks for `*` and shows `"*"` in its example of an ICE restart, so both are out there.
  if (value === '*' || value === '"*"') return true;
  for (const [, weak, tag] of value.matchAll(ENTITY_TAG)) if (weak === undefined && tag === current) return true;
  return false;
}
