/** A point in time of AMF: milliseconds since the Unix epoch. The time zone of AMF0 is reserved and not kept. */
export class AmfDate {
  readonly epochMs: number;
  constructor(epochMs: number) {
    this.epochMs = epochMs;
  }
}

/** An anonymous or typed object. A map, so that names from the wire such as `__proto__` mean nothing special. */
export type AmfObject = ReadonlyMap<string, AmfValue>;

/** An AMF0 ECMA array: an object that keeps its own marker when it is written again, as `onMetaData` wants it. */
export class AmfEcmaArray extends Map<string, AmfValue> {}

/** Every value that AMF0 and AMF3 can carry, as JavaScript sees it. XML documents are strings; a `Uint8Array` is an AMF3 ByteArray. */
export type AmfValue = number | boolean | string | null | undefined | AmfDate | AmfObject | readonly AmfValue[] | Uint8Array;

/** An AMF object from a literal's own names and values, in their order. */
export const amfObject = (properties: { readonly [name: string]: AmfValue }): AmfObject => new Map(Object.entries(properties));

/** Whether `value` is an object or ECMA array, whose names can be looked up with `get`. */
export const isAmfObject = (value: AmfValue): value is AmfObject => value instanceof Map;
