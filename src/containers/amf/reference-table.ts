import { ProtocolError } from '../../core/mod.ts';
import type { AmfValue } from './amf-value.ts';

// Stands for an object that is still being read, so that a reference to it can be told from one to a whole object.
const unfinished: unique symbol = Symbol('unfinished');

/**
 * The objects of one AMF message that references can point to, in the order in which they began.
 * A reference to an object from inside itself is refused: no value that comes out can make a walk over it endless.
 */
export class ReferenceTable {
  private readonly values: (AmfValue | typeof unfinished)[] = [];

  /** Takes the next index, for {@link finish}. */
  begin(): number {
    return this.values.push(unfinished) - 1;
  }

  finish<Value extends AmfValue>(index: number, value: Value): Value {
    this.values[index] = value;
    return value;
  }

  /** The whole object at `index`; `amf.bad-reference` or `amf.reference-cycle`. */
  get(index: number): AmfValue {
    if (index >= this.values.length) {
      throw new ProtocolError('amf.bad-reference', `AMF reference ${index} points past the ${this.values.length} objects seen so far`);
    }
    const value = this.values[index];
    if (value === unfinished)
      throw new ProtocolError('amf.reference-cycle', `AMF reference ${index} points to an object from inside itself`);
    return value;
  }
}
