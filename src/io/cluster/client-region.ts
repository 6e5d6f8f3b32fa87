import type { IncomingHttpHeaders } from 'node:http';
import { type IpNetwork, isInNetwork, parseIpAddress, parseIpNetwork } from '../../access/mod.ts';
import type { GeoIp } from './geo-ip.ts';

export interface ClientRegionOptions {
  /** The networks of each region's clients: `10.1.0.0/16`, `2001:db8::/32`. The longest that fits counts. */
  readonly networks: ReadonlyMap<string, readonly string[]>;
  /** A header that a proxy in front sets to the region's name; '' for none. Anybody else could set it, too, so it is believed only where it is configured. */
  readonly header: string;
  /** Where clients of whom nothing is known are taken to be. */
  readonly fallback: string;
  /** What knows where in the world addresses are. */
  readonly geoIp?: Pick<GeoIp, 'regionOf'> | undefined;
}

interface Known {
  readonly region: string;
  readonly network: IpNetwork;
}

/**
 * Where a client is, and who says so: the client itself, a proxy in front, the lists of networks, a file of where addresses are; `node`: nobody, so it is taken
 * to be near the node that it asked.
 */
export interface ClientPlace {
  readonly region: string;
  readonly by: 'query' | 'header' | 'network' | 'file' | 'node';
}

/** Says which region a client is in. */
export class ClientRegion {
  private header = '';
  private readonly fallback: string;
  private readonly geoIp: ClientRegionOptions['geoIp'];
  /** The longest prefix first. */
  private known: readonly Known[] = [];

  /** Throws `access.bad-network`. */
  constructor({ networks, header, fallback, geoIp }: ClientRegionOptions) {
    this.fallback = fallback;
    this.geoIp = geoIp;
    this.goBy({ networks, header });
  }

  /** From now on. Throws `access.bad-network`, and goes on by what it knew. */
  goBy({ networks, header }: Pick<ClientRegionOptions, 'networks' | 'header'>): void {
    this.known = [...networks]
      .flatMap(([region, list]) => list.map((text) => ({ region, network: parseIpNetwork(text) })))
      .sort((left, right) => right.network.bits - left.network.bits);
    this.header = header.toLowerCase();
  }

  /** `asked` is what the client itself says, as in `?region=eu`; it is believed, since it can only do itself harm. */
  placeOf(address: string, headers: IncomingHttpHeaders, asked: string | undefined): ClientPlace {
    if (asked !== undefined && asked !== '') return { region: asked, by: 'query' };
    const said = this.header === '' ? undefined : headers[this.header];
    if (typeof said === 'string' && said !== '') return { region: said, by: 'header' };
    const ip = parseIpAddress(address);
    const found = ip === undefined ? undefined : this.known.find(({ network }) => isInNetwork(ip, network));
    if (found !== undefined) return { region: found.region, by: 'network' };
    const near = this.geoIp?.regionOf(address);
    return near === undefined ? { region: this.fallback, by: 'node' } : { region: near, by: 'file' };
  }
}
