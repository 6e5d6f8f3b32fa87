/** What a database says of a network: `[address bytes, prefix length, country, continent]`. */
export interface GeoNetwork {
  readonly address: readonly [number, number, number, number];
  readonly bits: number;
  readonly country?: string;
  readonly continent?: string;
}

type Value = string | number | readonly string[] | { readonly [key: string]: Value };

/** Of fields, as the format numbers them. */
const TYPE = { text: 2, uint32: 6, map: 7, array: 11 } as const;
const text = (value: string): number[] => [(TYPE.text << 5) | value.length, ...Buffer.from(value)];

/** A field of the data section: control byte, then the value; texts of less than 29 bytes and short lists alone. */
function encoded(value: Value): number[] {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number')
    return [(TYPE.uint32 << 5) | 4, (value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  // Types beyond 7 stand in a byte of their own.
  if (Array.isArray(value)) return [value.length, TYPE.array - 7, ...(value as readonly string[]).flatMap(text)];
  const entries = Object.entries(value as { readonly [key: string]: Value });
  return [(TYPE.map << 5) | entries.length, ...entries.flatMap(([key, field]) => [...text(key), ...encoded(field)])];
}

type Branch = [Branch | number | undefined, Branch | number | undefined];

/** A database of a few IPv4 networks in MaxMind's format, version 2.0, with records of 24 bits. */
export function geoDatabase(networks: readonly GeoNetwork[]): Buffer {
  const data: number[] = [];
  const root: Branch = [undefined, undefined];
  for (const { address, bits, country, continent } of networks) {
    const offset = data.length;
    data.push(
      ...encoded({
        ...(country === undefined ? {} : { country: { iso_code: country } }),
        ...(continent === undefined ? {} : { continent: { code: continent } }),
      }),
    );
    let at = root;
    for (let depth = 0; depth < bits; depth++) {
      const side = (((address[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) as 0 | 1;
      if (depth === bits - 1) at[side] = offset;
      else {
        const next = at[side];
        const branch: Branch = Array.isArray(next) ? next : [undefined, undefined];
        at[side] = branch;
        at = branch;
      }
    }
  }
  const branches: Branch[] = [root];
  for (const branch of branches) for (const side of branch) if (Array.isArray(side)) branches.push(side);
  const count = branches.length;
  // What is not known points to the number of nodes; data begins 16 bytes behind the tree.
  const record = (side: Branch[number]): number =>
    side === undefined ? count : Array.isArray(side) ? branches.indexOf(side) : count + 16 + side;
  const tree = branches.flatMap((branch) =>
    branch.flatMap((side) => {
      const value = record(side);
      return [(value >>> 16) & 255, (value >>> 8) & 255, value & 255];
    }),
  );
  const metadata = encoded({
    node_count: count,
    record_size: 24,
    ip_version: 4,
    database_type: 'Test-Country',
    languages: ['en'],
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    description: { en: 'test' },
  });
  return Buffer.from([...tree, ...new Uint8Array(16), ...data, 0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com'), ...metadata]);
}
