import { ProtocolError } from '../../core/mod.ts';

/** What AMF from a peer may cost. */
export interface AmfLimits {
  /** Objects and arrays inside each other. */
  readonly depthMax: number;
  /** The bytes of one string, name or byte array. */
  readonly stringBytesMax: number;
  /** Values and names in one decoding, all levels together. */
  readonly elementsMax: number;
}

/** Room for the metadata and commands that encoders send, some of them with hundreds of names. */
export const amfLimitsDefault: AmfLimits = { depthMax: 16, stringBytesMax: 65_536, elementsMax: 4_096 };

/** Counts one decoding against its {@link AmfLimits}; shared by AMF0 and the AMF3 inside it. */
export class AmfBudget {
  private readonly limits: AmfLimits;
  private depth = 0;
  private elements = 0;

  constructor(limits: Partial<AmfLimits>) {
    this.limits = { ...amfLimitsDefault, ...limits };
  }

  /** Counts a value or a name; `amf.too-many-elements` past `elementsMax`. */
  element(): void {
    this.elements += 1;
    if (this.elements > this.limits.elementsMax) {
      throw new ProtocolError(
        'amf.too-many-elements',
        `more than ${this.limits.elementsMax} AMF values and names; raise elementsMax or send fewer`,
      );
    }
  }

  /** Enters an object or array; `amf.too-deep` past `depthMax`. */
  enter(): void {
    this.depth += 1;
    if (this.depth > this.limits.depthMax) {
      throw new ProtocolError('amf.too-deep', `AMF objects nest deeper than ${this.limits.depthMax}; raise depthMax or send flatter ones`);
    }
  }

  leave(): void {
    this.depth -= 1;
  }

  /** Checks a string's size; `amf.string-too-long` past `stringBytesMax`. */
  string(lengthBytes: number): void {
    if (lengthBytes > this.limits.stringBytesMax) {
      throw new ProtocolError(
        'amf.string-too-long',
        `AMF string of ${lengthBytes} bytes is above ${this.limits.stringBytesMax}; raise stringBytesMax or send a shorter one`,
      );
    }
  }
}
