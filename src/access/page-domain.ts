const DOMAIN = /^(\*\.)?(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
// What browsers send as Origin or Referer (RFC 6454 section 7, RFC 9110 section 10.1.3): no user name in it.
const PAGE = /^https?:\/\/([a-z0-9.-]{1,253})(?::\d{1,5})?(?:[/?#]|$)/i;

/** Whether a text can stand in a list of domains: `example.org`, `localhost`, `*.example.org`; in lower case. */
export const isDomain = (text: string): boolean => DOMAIN.test(text);

/** Whether a page, by its origin or URL, is one of the domains: exactly, or below `*.`. */
export function isPageOf(page: string, domains: readonly string[]): boolean {
  const host = PAGE.exec(page)?.[1]?.toLowerCase();
  return host !== undefined && domains.some((domain) => (domain.startsWith('*.') ? host.endsWith(domain.slice(1)) : host === domain));
}
