import { concatenate } from './concatenate.ts';
import { badPayload } from './malformed.ts';

/** The most NAL units in one access unit: as many as the media room reads. */
const NAL_UNITS_MAX = 4_096;

/** Collects the NAL units of one access unit from single, aggregated and fragmented ones. Units share memory where they were whole. */
export class NalUnitAssembler {
  private readonly codec: 'h264' | 'hevc';
  private readonly units: Uint8Array[] = [];
  private fragments: Uint8Array[] | undefined;

  constructor(codec: 'h264' | 'hevc') {
    this.codec = codec;
  }

  addUnit(unit: Uint8Array): void {
    if (this.fragments !== undefined) throw badPayload(this.codec, 'a fragmented NAL unit lacks its end');
    if (this.units.length >= NAL_UNITS_MAX) throw badPayload(this.codec, `more than ${NAL_UNITS_MAX} NAL units in one access unit`);
    this.units.push(unit);
  }

  /** The units of an aggregation packet from `start`, each behind a 16-bit length. */
  addAggregated(payload: Uint8Array, start: number): void {
    let at = start;
    do {
      const length = ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0);
      const end = at + 2 + length;
      if (length === 0 || end > payload.length) {
        throw badPayload(this.codec, `an aggregated NAL unit of ${length} bytes at byte ${at} of ${payload.length}; it must be inside`);
      }
      this.addUnit(payload.subarray(at + 2, end));
      at = end;
    } while (at < payload.length);
  }

  /** A fragment; `header` is the NAL unit header that the first one stands for. */
  addFragment(header: Uint8Array, content: Uint8Array, isFirst: boolean, isLast: boolean): void {
    if (content.length === 0) throw badPayload(this.codec, 'a fragmentation unit without content');
    if (isFirst !== (this.fragments === undefined)) {
      throw badPayload(this.codec, isFirst ? 'a fragmented NAL unit lacks its end' : 'a fragmented NAL unit lacks its start');
    }
    this.fragments ??= [header];
    this.fragments.push(content);
    if (!isLast) return;
    const unit = concatenate(this.fragments);
    this.fragments = undefined;
    this.addUnit(unit);
  }

  /** All units; throws when there are none or the last is not whole. */
  finish(): readonly Uint8Array[] {
    if (this.fragments !== undefined) throw badPayload(this.codec, 'the last fragmented NAL unit lacks its end');
    if (this.units.length === 0) throw badPayload(this.codec, 'no NAL unit in the payloads of a frame');
    return this.units;
  }
}
