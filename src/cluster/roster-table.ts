import { isSameRecord, type NodeRecord } from './node-record.ts';
import { memberMark } from './region-digest.ts';

/**
 * The records of one region's nodes, in the order of their ids; it never changes. The last change that was asked for is remembered: of nodes that share a
 * process, those that hear the same have the same table.
 */
export class RosterTable {
  readonly records: readonly NodeRecord[];
  /** Of whom it speaks: see {@link memberMark}. */
  readonly mark: number;
  private change: NodeRecord | string | undefined = undefined;
  private changed: RosterTable | undefined = undefined;

  constructor(records: readonly NodeRecord[] = [], mark = 0) {
    this.records = records;
    this.mark = mark;
  }

  /** Whether the records of another one say the same. */
  isLike({ records, mark }: RosterTable): boolean {
    if (records === this.records) return true;
    if (mark !== this.mark || records.length !== this.records.length) return false;
    return records.every((record, place) => {
      const own = this.records[place];
      return own === record || (own !== undefined && isSameRecord(own, record));
    });
  }

  /** As {@link placeIn}. */
  placeOf(id: string): number {
    return placeIn(this.records, id);
  }

  /** With a record that is new, or instead of the node's last one. */
  with(record: NodeRecord): RosterTable {
    return this.changedBy(record, () => {
      const place = this.placeOf(record.id);
      const before = this.records[place];
      const records = before === undefined ? this.records.toSpliced(~place, 0, record) : this.records.with(place, record);
      return new RosterTable(records, this.markWithout(before) ^ memberMark(record.id, record.incarnation));
    });
  }

  without(id: string): RosterTable {
    return this.changedBy(id, () => {
      const place = this.placeOf(id);
      return place < 0 ? this : new RosterTable(this.records.toSpliced(place, 1), this.markWithout(this.records[place]));
    });
  }

  private markWithout(record: NodeRecord | undefined): number {
    return record === undefined ? this.mark : this.mark ^ memberMark(record.id, record.incarnation);
  }

  private changedBy(change: NodeRecord | string, make: () => RosterTable): RosterTable {
    if (this.changed === undefined || this.change !== change) {
      this.change = change;
      this.changed = make();
    }
    return this.changed;
  }
}

/** The place of a node in a list in the order of ids; of one that is not in it, the complement (`~`) of the place where it would have to be. */
export function placeIn(records: readonly NodeRecord[], id: string): number {
  let [low, high] = [0, records.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = records[middle]?.id ?? '';
    if (found === id) return middle;
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}
