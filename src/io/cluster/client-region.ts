import type { IncomingHttpHeaders } from 'node:http';
import { type IpNetwork, isInNetwork, parseIpAddress, parseIpNetwork } from '../../access/mod.ts';

export interface ClientRegionOptions {
  /** The networks of each region's clients: `10.1.0.0/16`, `2001:db8::/32`. The longest that fits counts. */
  readonly networks: ReadonlyMap<string, readonly string[]>;
  /** A header that a proxy in front sets to the region's name; '' for none. Anybody else could set it, too, so it is believed only where it is configured. */
  readonly header: string;
  /** Where clients of whom nothing is known are taken to be. */
  readonly fallback: string;
}

interface Known {
  readonly region: string;
  readonly network: IpNetwork;
}

/** Says which region a client is in. */
export class ClientRegion {
  private header = '';
  private readonly fallback: string;
  /** The longest prefix first. */
  private known: readonly Known[] = [];

  /** Throws `access.bad-network`. */
  constructor({ networks, header, fallback }: ClientRegionOptions) {
    this.fallback = fallback;
    this.goBy({ networks, header });
  }

  /** From now on. Throws `access.bad-network`, and goes on by what it knew. */
  goBy({ networks, header }: Omit<ClientRegionOptions, 'fallback'>): void {
    this.known = [...networks]
      .flatMap(([region, list]) => list.map((text) => ({ region, network: parseIpNetwork(text) })))
      .sort((left, right) => right.network.bits - left.network.bits);
    this.header = header.toLowerCase();
  }

  /** `asked` is what the client itself says, as in `?region=eu`; it is believed, since it can only do itself harm. */
  of(address: string, headers: IncomingHttpHeaders, asked: string | undefined): string {
    if (asked !== undefined && asked !== '') return asked;
    const said = this.header === '' ? undefined : headers[this.header];
    if (typeof said === 'string' && said !== '') return said;
    const ip = parseIpAddress(address);
    const found = ip === undefined ? undefined : this.known.find(({ network }) => isInNetwork(ip, network));
    return found?.region ?? this.fallback;
  }
}
