import { ByteReader, ProtocolError, utf8Decode } from '../../core/mod.ts';
import { AmfBudget, type AmfLimits } from './amf-limits.ts';
import { AmfDate, AmfEcmaArray, type AmfValue } from './amf-value.ts';
import { readAmf3 } from './amf3-decode.ts';
import { ReferenceTable } from './reference-table.ts';

const OBJECT_END = 0x09;

/**
 * Reads all AMF0 values of `bytes`, one after the other (AMF0 specification, section 2), such as a command's name, transaction and
 * arguments. Borrows the bytes; byte arrays inside share their memory.
 * Throws `ProtocolError` with `amf.…` or `core.truncated`.
 */
export function decodeAmf0(bytes: Uint8Array, limits: Partial<AmfLimits> = {}): AmfValue[] {
  const decoder = new Amf0Decoder(bytes, new AmfBudget(limits));
  const values: AmfValue[] = [];
  while (decoder.remaining > 0) values.push(decoder.value());
  return values;
}

class Amf0Decoder {
  private readonly reader: ByteReader;
  private readonly budget: AmfBudget;
  private readonly references = new ReferenceTable();

  constructor(bytes: Uint8Array, budget: AmfBudget) {
    this.reader = new ByteReader(bytes);
    this.budget = budget;
  }

  get remaining(): number {
    return this.reader.remaining;
  }

  value(): AmfValue {
    this.budget.element();
    return this.valueOf(this.reader.u8());
  }

  private valueOf(marker: number): AmfValue {
    switch (marker) {
      case 0x00:
        return this.reader.f64();
      case 0x01:
        return this.reader.u8() !== 0;
      case 0x02:
        return this.text(this.reader.u16());
      case 0x05:
        return null;
      // Undefined, and "unsupported", which says that the sender had a value that AMF0 cannot carry.
      case 0x06:
      case 0x0d:
        return undefined;
      case 0x0b:
        return this.date();
      // Long strings and XML documents differ only in what the text means.
      case 0x0c:
      case 0x0f:
        return this.text(this.reader.u32());
      default:
        return this.complex(marker);
    }
  }

  private complex(marker: number): AmfValue {
    switch (marker) {
      case 0x03:
        return this.properties(new Map());
      case 0x07:
        return this.references.get(this.reader.u16());
      case 0x08:
        // The count is a hint only: writers put 0 or a wrong number there (section 2.10), and the end marker decides.
        this.reader.skip(4);
        return this.properties(new AmfEcmaArray());
      case 0x0a:
        return this.strictArray();
      case 0x10:
        this.text(this.reader.u16());
        return this.properties(new Map());
      case 0x11:
        // avmplus-object-marker: one AMF3 value with reference tables of its own (section 3.1).
        return readAmf3(this.reader, this.budget);
      default:
        throw new ProtocolError(
          'amf.unknown-marker',
          `AMF0 type marker 0x${marker.toString(16)} at offset ${this.reader.offset - 1} is not one of AMF0`,
        );
    }
  }

  private text(lengthBytes: number): string {
    this.budget.string(lengthBytes);
    return utf8Decode(this.reader.slice(lengthBytes));
  }

  private date(): AmfDate {
    const epochMs = this.reader.f64();
    this.reader.skip(2);
    return new AmfDate(epochMs);
  }

  private properties(into: Map<string, AmfValue>): AmfValue {
    const index = this.references.begin();
    this.budget.enter();
    for (;;) {
      this.budget.element();
      const name = this.text(this.reader.u16());
      const marker = this.reader.u8();
      // Only an empty name can end the object; before any other marker it is a property whose name is empty, which some writers send.
      if (name === '' && marker === OBJECT_END) break;
      into.set(name, this.valueOf(marker));
    }
    this.budget.leave();
    return this.references.finish(index, into);
  }

  private strictArray(): AmfValue {
    const index = this.references.begin();
    this.budget.enter();
    const values: AmfValue[] = [];
    for (let left = this.reader.u32(); left > 0; left--) values.push(this.value());
    this.budget.leave();
    return this.references.finish(index, values);
  }
}
