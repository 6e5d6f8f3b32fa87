import { type ByteReader, ProtocolError, utf8Decode } from '../../core/mod.ts';
import type { AmfBudget } from './amf-limits.ts';
import { AmfDate, type AmfValue } from './amf-value.ts';
import { ReferenceTable } from './reference-table.ts';

/** The class of an AMF3 object (section 3.12): its sealed names, and whether more names follow. */
interface Traits {
  readonly isDynamic: boolean;
  readonly names: readonly string[];
}

/**
 * Reads one AMF3 value (AMF3 specification, section 3) with reference tables of its own. Borrows the reader's bytes; byte arrays share
 * their memory. Throws `ProtocolError` with `amf.…` or `core.truncated`.
 */
export const readAmf3 = (reader: ByteReader, budget: AmfBudget): AmfValue => new Amf3Decoder(reader, budget).value();

class Amf3Decoder {
  private readonly reader: ByteReader;
  private readonly budget: AmfBudget;
  private readonly strings: string[] = [];
  private readonly traits: Traits[] = [];
  private readonly objects = new ReferenceTable();

  constructor(reader: ByteReader, budget: AmfBudget) {
    this.reader = reader;
    this.budget = budget;
  }

  value(): AmfValue {
    this.budget.element();
    const marker = this.reader.u8();
    switch (marker) {
      case 0x00:
        return undefined;
      case 0x01:
        return null;
      case 0x02:
        return false;
      case 0x03:
        return true;
      case 0x04:
        // A 29-bit two's complement integer.
        return (this.u29() << 3) >> 3;
      case 0x05:
        return this.reader.f64();
      case 0x06:
        return this.text();
      default:
        return this.complex(marker);
    }
  }

  // Every type from 0x07 on starts with a U29 whose lowest bit tells a value from a reference to an earlier one.
  private complex(marker: number): AmfValue {
    if (marker > 0x11) throw new ProtocolError('amf.unknown-marker', `AMF3 type marker 0x${marker.toString(16)} is not one of AMF3`);
    const header = this.u29();
    if ((header & 1) === 0) return this.objects.get(header >>> 1);
    const size = header >>> 1;
    const index = this.objects.begin();
    this.budget.enter();
    const value = this.whole(marker, size);
    this.budget.leave();
    return this.objects.finish(index, value);
  }

  private whole(marker: number, size: number): AmfValue {
    switch (marker) {
      case 0x08:
        return new AmfDate(this.reader.f64());
      case 0x09:
        return this.array(size);
      case 0x0a:
        return this.object(size);
      case 0x0c:
        this.budget.string(size);
        return this.reader.slice(size);
      case 0x0d:
        return this.vector(size, () => this.reader.i32());
      case 0x0e:
        return this.vector(size, () => this.reader.u32());
      case 0x0f:
        return this.vector(size, () => this.reader.f64());
      case 0x10:
        return this.objectVector(size);
      case 0x11:
        return this.dictionary(size);
      // 0x07 and 0x0b: XML, as text.
      default:
        this.budget.string(size);
        return utf8Decode(this.reader.slice(size));
    }
  }

  // Section 1.3.1: up to four bytes, seven bits in each but the fourth, which gives all eight.
  private u29(): number {
    let value = 0;
    for (let count = 0; count < 3; count++) {
      const byte = this.reader.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.reader.u8();
  }

  private text(): string {
    const header = this.u29();
    const size = header >>> 1;
    if ((header & 1) === 0) {
      const text = this.strings[size];
      if (text === undefined)
        throw new ProtocolError('amf.bad-reference', `AMF3 string reference ${size} points past ${this.strings.length} strings`);
      return text;
    }
    this.budget.string(size);
    const text = utf8Decode(this.reader.slice(size));
    // The empty string is never sent by reference (section 1.3.2).
    if (size > 0) this.strings.push(text);
    return text;
  }

  // Section 3.11: named values up to an empty name, then `size` values without names. Both together make a map.
  private array(size: number): AmfValue {
    const named = this.namedValues(new Map());
    const values: AmfValue[] = [];
    for (let left = size; left > 0; left--) values.push(this.value());
    if (named.size === 0) return values;
    for (const [index, value] of values.entries()) named.set(String(index), value);
    return named;
  }

  private namedValues(into: Map<string, AmfValue>): Map<string, AmfValue> {
    for (;;) {
      this.budget.element();
      const name = this.text();
      if (name === '') return into;
      into.set(name, this.value());
    }
  }

  private object(header: number): AmfValue {
    const traits = this.traitsOf(header);
    const properties = new Map<string, AmfValue>();
    for (const name of traits.names) properties.set(name, this.value());
    return traits.isDynamic ? this.namedValues(properties) : properties;
  }

  // U29O-traits of section 3.12, after the bit that tells an object from a reference was taken off.
  private traitsOf(header: number): Traits {
    if ((header & 1) === 0) {
      const known = this.traits[header >>> 1];
      if (known === undefined)
        throw new ProtocolError('amf.bad-reference', `AMF3 traits reference ${header >>> 1} points past ${this.traits.length} traits`);
      return known;
    }
    const className = this.text();
    if ((header & 2) !== 0) {
      // Only the class itself knows how long such an object is.
      throw new ProtocolError(
        'amf.externalizable-unsupported',
        `AMF3 class "${className.slice(0, 80)}" writes itself; send a plain object`,
      );
    }
    const names: string[] = [];
    for (let left = header >>> 3; left > 0; left--) {
      this.budget.element();
      names.push(this.text());
    }
    const traits: Traits = { isDynamic: (header & 4) !== 0, names };
    this.traits.push(traits);
    return traits;
  }

  private vector(size: number, element: () => number): AmfValue {
    this.reader.skip(1);
    const values: AmfValue[] = [];
    for (let left = size; left > 0; left--) {
      this.budget.element();
      values.push(element());
    }
    return values;
  }

  private objectVector(size: number): AmfValue {
    this.reader.skip(1);
    this.text();
    const values: AmfValue[] = [];
    for (let left = size; left > 0; left--) values.push(this.value());
    return values;
  }

  // Section 3.15. Keys that are no names (objects) have no place in a map of names.
  private dictionary(size: number): AmfValue {
    this.reader.skip(1);
    const entries = new Map<string, AmfValue>();
    for (let left = size; left > 0; left--) {
      const key = this.value();
      if (typeof key === 'object')
        throw new ProtocolError('amf.dictionary-key', 'AMF3 dictionary has an object as key; use strings or numbers');
      entries.set(String(key), this.value());
    }
    return entries;
  }
}
