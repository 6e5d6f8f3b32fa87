// Latency is measured from inside the pictures: each synthetic video frame begins with an SEI NAL unit
// (user_data_unregistered, ITU-T H.264 D.1.7) that holds the Unix time at which it was sent. Time is written as decimal
// digits, so that no emulation prevention byte is ever needed.
const UUID = 'sluice-sent-time';
const DIGITS = 16;
const NAL_HEADER = [0x06, 0x05, UUID.length + DIGITS];
const NAL_SIZE = NAL_HEADER.length + UUID.length + DIGITS + 1;

/** The size of the SEI with its 4-byte length in front. */
export const SENT_TIME_SIZE: number = 4 + NAL_SIZE;

const TEMPLATE = Buffer.alloc(SENT_TIME_SIZE);
TEMPLATE.writeUInt32BE(NAL_SIZE, 0);
TEMPLATE.set(NAL_HEADER, 4);
TEMPLATE.write(UUID, 7, 'latin1');
TEMPLATE[SENT_TIME_SIZE - 1] = 0x80;
const UUID_AT = 7;
const DIGITS_AT = UUID_AT + UUID.length;

/** Writes the SEI of `unixMs`, its length in front, at `offset`. */
export function writeSentTime(into: Buffer, offset: number, unixMs: number): void {
  TEMPLATE.copy(into, offset);
  into.write(String(Math.floor(unixMs)).padStart(DIGITS, '0'), offset + DIGITS_AT, 'latin1');
}

/** Unix milliseconds from the SEI (length in front) at `offset`, or undefined when something else is there. */
export function readSentTime(bytes: Buffer, offset: number): number | undefined {
  if (bytes.length < offset + SENT_TIME_SIZE) return undefined;
  if (bytes.compare(TEMPLATE, 0, DIGITS_AT, offset, offset + DIGITS_AT) !== 0) return undefined;
  return Number(bytes.toString('latin1', offset + DIGITS_AT, offset + DIGITS_AT + DIGITS));
}

const UNITS_SEARCHED_MAX = 8;

/** As readSentTime, of the SEI that is one of the first NAL units (lengths in front) of an access unit: parameter sets may come before it. */
export function findSentTime(accessUnit: Buffer): number | undefined {
  for (let at = 0, unit = 0; at + 4 < accessUnit.length && unit < UNITS_SEARCHED_MAX; unit++) {
    const sentMs = readSentTime(accessUnit, at);
    if (sentMs !== undefined) return sentMs;
    at += 4 + accessUnit.readUInt32BE(at);
  }
  return undefined;
}
