import type { EndpointsResource } from '../../api/mod.ts';
import { SluiceError } from '../../core/mod.ts';

/** The hosts of a node's endpoints, without brackets; throws `SluiceError` with `cluster.endpoints-wrong`. */
export function endpointHosts({ http, rtmp, relay }: EndpointsResource): string[] {
  const urls = [http, ...(rtmp === undefined ? [] : [rtmp]), ...(relay === undefined ? [] : [`relay://${relay}`])];
  return [...new Set(urls.map(hostOf))];
}

const HOST = /^[A-Za-z0-9_.:-]{1,253}$/;
/** Nodes know each other, and NATS knows them, by their ids as names in certificates: none may have another's as that of its host. */
const NODE_ID = /^n[a-z2-7]{16}$/i;

function hostOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const isWhole = url !== undefined && url.username === '' && (url.pathname === '' || url.pathname === '/') && url.search === '';
  if (isWhole && HOST.test(host) && !NODE_ID.test(host) && host !== '0.0.0.0' && host !== '::') return host;
  throw new SluiceError(
    'cluster.endpoints-wrong',
    `${JSON.stringify(text.slice(0, 80))} is no address that others reach this node at: give SCHEME://HOST:PORT with a name or address of this machine`,
  );
}
