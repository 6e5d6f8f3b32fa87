import { readFileSync } from 'node:fs';
import { Reader, type Response } from 'mmdb-lib';
import { SluiceError } from '../../core/mod.ts';

export interface GeoIpOptions {
  /** A file in MaxMind's format (`.mmdb`) that knows countries: GeoLite2 Country or City, DB-IP and the like. '': none. */
  readonly file: string;
  /** The region of clients by ISO 3166-1 code of their country: `DE`. Counts before that of the continent. */
  readonly countries: Readonly<Record<string, string>>;
  /** The same by code of the continent: `AF`, `AN`, `AS`, `EU`, `NA`, `OC`, `SA`. */
  readonly continents: Readonly<Record<string, string>>;
}

/** What is looked at of an entry; a file may hold anything. */
interface Entry {
  readonly country?: { readonly iso_code?: unknown };
  readonly continent?: { readonly code?: unknown };
}

/** Knows the region of addresses by where in the world they are. */
export class GeoIp {
  private readonly reader: Reader<Response>;
  private readonly options: GeoIpOptions;

  /** Reads the file once; undefined where there is none. Throws `cluster.geo-ip`, naming the key. */
  static open(options: GeoIpOptions): GeoIp | undefined {
    const { file, countries, continents } = options;
    for (const code of Object.keys(countries))
      if (!COUNTRY.test(code)) throw refusal(`countries.${code}: countries have codes of two capital letters (ISO 3166-1): DE`);
    for (const code of Object.keys(continents))
      if (!CONTINENTS.includes(code)) throw refusal(`continents.${code}: continents are ${CONTINENTS.join(', ')}`);
    if (file === '') return undefined;
    if (Object.keys(countries).length + Object.keys(continents).length === 0)
      throw refusal('file is of no use alone: say in cluster.geoIp.countries or continents what is near which region');
    return new GeoIp(readerOf(bytesOf(file), file), options);
  }

  private constructor(reader: Reader<Response>, options: GeoIpOptions) {
    this.reader = reader;
    this.options = options;
  }

  /** Undefined for an address that the file does not know, or whose place is near no region. */
  regionOf(address: string): string | undefined {
    const { countries, continents } = this.options;
    const { country, continent } = this.entryOf(address.replace(/^::ffff:(?=\d+\.)/i, '')) ?? {};
    return named(countries, country?.iso_code) ?? named(continents, continent?.code);
  }

  /** A file that is damaged somewhere is good for the rest. */
  private entryOf(address: string): Entry | undefined {
    try {
      return (this.reader.get(address) as Entry | null) ?? undefined;
    } catch {
      return undefined;
    }
  }
}

const COUNTRY = /^[A-Z]{2}$/;
const CONTINENTS: readonly string[] = ['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'];

const refusal = (what: string): SluiceError => new SluiceError('cluster.geo-ip', `cluster.geoIp.${what}`);

const named = (regions: Readonly<Record<string, string>>, code: unknown): string | undefined =>
  typeof code === 'string' && Object.hasOwn(regions, code) ? regions[code] : undefined;

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw refusal(`file: ${file} cannot be read: ${(error as Error).message}`);
  }
}

function readerOf(bytes: Buffer, file: string): Reader<Response> {
  try {
    return new Reader(bytes);
  } catch (error) {
    throw refusal(`file: ${file} is no MaxMind database (.mmdb): ${(error as Error).message}`);
  }
}
