import { utf8Decode, utf8Encode } from '../core/mod.ts';

/** A run of a node's process: a node that was started again is another holder. */
export interface Holder {
  readonly node: string;
  /** Grows by one at each start of the node's process. */
  readonly incarnation: number;
}

export const isSameHolder = (left: Holder, right: Holder): boolean => left.incarnation === right.incarnation && left.node === right.node;

/** Who holds something, and what it says of it. */
export interface ClaimRecord<Body> {
  readonly holder: Holder;
  /** The fencing number, which only grows. Absent in the write that makes the claim: see {@link epochOf}. */
  readonly epoch: number | undefined;
  /** The greatest epoch that the claimant knew before. */
  readonly floor: number;
  /** Differs between claimants: where the floor decides, two of them who know the same still get epochs of their own. */
  readonly salt?: number;
  readonly body: Body;
}

/** A claim's epoch is the revision of the write that made it, so that the store itself makes it grow; past the floor where the store began anew. */
export const epochOf = ({ epoch, floor, salt = 0 }: Pick<ClaimRecord<unknown>, 'epoch' | 'floor' | 'salt'>, revision: number): number =>
  epoch ?? (revision > floor ? revision : floor + 1 + salt);

/** The least version of a reader that understands what this build writes; fields that were added do not raise it. */
const VERSION = 1;

/** `newer`: written for readers of a later version, so that nothing may be concluded from it. `malformed`: by nobody of ours. */
export type UnreadableRecord = 'newer' | 'malformed';

export const writeClaim = <Body>({ holder, epoch, floor, salt, body }: ClaimRecord<Body>): Uint8Array =>
  utf8Encode(JSON.stringify({ v: VERSION, holder, ...(epoch === undefined ? { floor, salt } : { epoch }), body }));

/** `readBody` gives undefined for what it cannot read. */
export function readClaim<Body>(bytes: Uint8Array, readBody: (json: unknown) => Body | undefined): ClaimRecord<Body> | UnreadableRecord {
  const json = parsed(utf8Decode(bytes));
  if (!isObject(json) || typeof json['v'] !== 'number') return 'malformed';
  if (json['v'] > VERSION) return 'newer';
  const { holder, epoch, floor = 0, salt = 0 } = json;
  if (!isObject(holder)) return 'malformed';
  const { node, incarnation } = holder;
  if (typeof node !== 'string' || typeof incarnation !== 'number') return 'malformed';
  if ((epoch !== undefined && typeof epoch !== 'number') || typeof floor !== 'number' || typeof salt !== 'number') return 'malformed';
  const body = readBody(json['body']);
  return body === undefined ? 'malformed' : { holder: { node, incarnation }, epoch, floor, salt, body };
}

const isObject = (json: unknown): json is Record<string, unknown> => typeof json === 'object' && json !== null;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
