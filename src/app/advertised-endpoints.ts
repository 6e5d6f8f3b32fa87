import type { NodeEndpoints } from '../cluster/mod.ts';
import type { Config } from './config/mod.ts';

/** The ports that a node listens on; those that are 0 or missing in the configuration are known only after it listens. */
export interface NodePorts {
  readonly http: number;
  /** Undefined when RTMP is off. */
  readonly rtmp: number | undefined;
  readonly relay: number;
}

export const configuredPorts = ({ http, rtmp, cluster }: Config): NodePorts => ({
  http: http.port,
  rtmp: rtmp.enabled ? rtmp.port : undefined,
  relay: cluster.relay.port,
});

/** Where others reach a node of this configuration under `host`, a name or address. */
export function advertisedEndpoints({ http }: Config, host: string, ports: NodePorts): NodeEndpoints {
  const place = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return {
    http: `${http.tls.certFile === '' ? 'http' : 'https'}://${place}:${ports.http}`,
    ...(ports.rtmp === undefined ? {} : { rtmp: `rtmp://${place}:${ports.rtmp}` }),
    relay: `${place}:${ports.relay}`,
  };
}
