import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ClientRegion } from './client-region.ts';
import { geoDatabase } from './geo-ip.fixture.ts';
import { GeoIp } from './geo-ip.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-geo-ip-'));
const written = (name: string, bytes: Uint8Array): string => {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return file;
};
const database = geoDatabase([
  { address: [192, 0, 2, 0], bits: 24, country: 'DE', continent: 'EU' },
  { address: [198, 51, 100, 0], bits: 24, country: 'CA', continent: 'NA' },
  { address: [203, 0, 113, 0], bits: 25, continent: 'OC' },
  { address: [203, 0, 113, 128], bits: 25 },
]);
const file = written('countries.mmdb', database);
const countries = { DE: 'eu', FR: 'eu' };
const continents = { EU: 'eu-other', NA: 'us' };
const open = (): GeoIp => GeoIp.open({ file, countries, continents }) as GeoIp;

describe('a file of where addresses are', () => {
  it('tells the region by country, else by continent', () => {
    const geoIp = open();
    expect(geoIp.regionOf('192.0.2.77')).toBe('eu');
    expect(geoIp.regionOf('::ffff:192.0.2.77')).toBe('eu');
    expect(geoIp.regionOf('198.51.100.1')).toBe('us');
  });

  it.each(['203.0.113.1', '203.0.113.200', '10.0.0.1', '2001:db8::1', 'nonsense', ''])(
    'says nothing of %j, which it does not know or which is near no region',
    (address) => {
      expect(open().regionOf(address)).toBeUndefined();
    },
  );

  it('is not there unless it is configured', () => {
    expect(GeoIp.open({ file: '', countries: {}, continents: {} })).toBeUndefined();
  });

  it.each<[what: string, file: string, regions: Readonly<Record<string, string>>, message: RegExp]>([
    ['is missing', join(folder, 'none.mmdb'), countries, /^cluster\.geoIp\.file: .*none\.mmdb cannot be read: .*ENOENT/],
    [
      'is of another kind',
      written('text.mmdb', Buffer.from('country,region\nDE,eu\n')),
      countries,
      /^cluster\.geoIp\.file: .*text\.mmdb is no MaxMind database/,
    ],
    ['comes without regions', file, {}, /^cluster\.geoIp\.file .*cluster\.geoIp\.countries/],
    ['comes with a code that is none', file, { de: 'eu' }, /^cluster\.geoIp\.countries\.de: .*ISO 3166-1/],
  ])('that %s is refused at the start, with the key', (_what, at, regions, message) => {
    expect(() => GeoIp.open({ file: at, countries: regions, continents: {} })).toThrow(message);
  });

  it('knows seven continents', () => {
    expect(() => GeoIp.open({ file, countries: {}, continents: { UK: 'eu' } })).toThrow(/^cluster\.geoIp\.continents\.UK: .*AF, AN/);
  });

  it('that is damaged anywhere ends nothing', () => {
    for (let at = 0; at < database.length; at += 7) {
      const damaged = Buffer.from(database);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      try {
        GeoIp.open({ file: written('damaged.mmdb', damaged), countries, continents })?.regionOf('192.0.2.77');
      } catch (error) {
        expect((error as Error).message).toMatch(/^cluster\.geoIp\.file: /);
      }
    }
  });
});

describe('the region of a client', () => {
  const region = new ClientRegion({
    networks: new Map([['lab', ['192.0.2.128/25']]]),
    header: 'x-region',
    fallback: 'own',
    geoIp: open(),
  });

  it.each<[address: string, headers: Record<string, string>, asked: string | undefined, expected: object]>([
    ['192.0.2.200', { 'x-region': 'ap' }, 'sa', { region: 'sa', by: 'query' }],
    ['192.0.2.200', { 'x-region': 'ap' }, '', { region: 'ap', by: 'header' }],
    ['192.0.2.200', {}, undefined, { region: 'lab', by: 'network' }],
    ['192.0.2.1', {}, undefined, { region: 'eu', by: 'file' }],
    ['10.0.0.1', {}, undefined, { region: 'own', by: 'node' }],
  ])('of %s is what the client, a proxy, the networks, the file and the node say, in this order', (address, headers, asked, expected) => {
    expect(region.placeOf(address, headers, asked)).toEqual(expected);
  });
});
