import { ProtocolError } from '../../core/mod.ts';

/** The longest description taken; a browser's full offer has 4 to 12 KB. */
export const SDP_LENGTH_MAX = 65_536;
const LINES_MAX = 2000;
const LINE_LENGTH_MAX = 2048;

/** A line `type=value` and its number, from 1. */
export interface SdpLine {
  readonly type: string;
  readonly value: string;
  readonly number: number;
}

/** `sdp.bad`, saying in which line. */
export const badSdp = (what: string, line?: SdpLine): ProtocolError =>
  new ProtocolError('sdp.bad', line === undefined ? what : `${what} in line ${line.number}: "${line.type}=${line.value.slice(0, 80)}"`);

const hasControlCharacter = (text: string): boolean => {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if ((code < 32 && code !== 9) || code === 127) return true;
  }
  return false;
};

/** Cuts text into lines (CRLF, or LF as RFC 8866 §5 asks to tolerate). Throws `sdp.bad`. */
export function splitSdpLines(text: string): SdpLine[] {
  if (text.length > SDP_LENGTH_MAX) throw badSdp(`${text.length} characters; at most ${SDP_LENGTH_MAX} are taken`);
  const texts = text.split(/\r?\n/, LINES_MAX + 1);
  if (texts.length > LINES_MAX) throw badSdp(`more than ${LINES_MAX} lines`);
  const lines: SdpLine[] = [];
  for (const [index, raw] of texts.entries()) {
    const whole = raw.trimEnd();
    if (whole === '') continue;
    const line = { type: whole.charAt(0), value: whole.slice(2), number: index + 1 };
    if (whole.length > LINE_LENGTH_MAX) throw badSdp(`more than ${LINE_LENGTH_MAX} characters`, line);
    // Values go into answers: a lone CR or another control character must not come through.
    if (!/^[a-z]=/.test(whole) || hasControlCharacter(whole)) throw badSdp('not of the form "type=value"', line);
    lines.push(line);
  }
  return lines;
}

/** `name:value` of an `a=` line; the value of a flag is empty. */
export function splitAttribute({ value }: SdpLine): { readonly name: string; readonly value: string } {
  const colon = value.indexOf(':');
  return colon < 0 ? { name: value, value: '' } : { name: value.slice(0, colon), value: value.slice(colon + 1).trim() };
}

/** A decimal integer of at most `max`, else undefined. */
export function decimal(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

/** Adds to a list of the peer's that has a limit. Throws `sdp.bad`. */
export function pushBounded<Item>(list: Item[], item: Item, max: number, line: SdpLine): void {
  if (list.length >= max) throw badSdp(`more than ${max} of the kind`, line);
  list.push(item);
}
