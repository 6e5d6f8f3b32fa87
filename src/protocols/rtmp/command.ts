import { type AmfValue, decodeAmf0, isAmfObject } from '../../containers/mod.ts';
import { ProtocolError } from '../../core/mod.ts';
import { MessageType } from './message.ts';

/** A Command Message (RTMP 1.0, 7.1.1 and 7.2). */
export interface Command {
  readonly name: string;
  /** 0 where no answer is expected. */
  readonly transactionId: number;
  /** The command object; null or undefined where a command has none. */
  readonly object: AmfValue;
  readonly arguments: readonly AmfValue[];
}

/** Reads a borrowed command of type 20 (AMF0) or 17 (AMF3, which holds AMF0 behind a zero byte). Throws `ProtocolError` `rtmp.command` or `amf.…`. */
export function decodeCommand(typeId: number, body: Uint8Array): Command {
  const values = decodeAmf0(typeId === MessageType.commandAmf3 && body[0] === 0 ? body.subarray(1) : body);
  const [name, transactionId, object, ...rest] = values;
  if (typeof name !== 'string')
    throw new ProtocolError('rtmp.command', `command message starts with ${typeof name}, needs the command's name`);
  return { name, transactionId: typeof transactionId === 'number' ? transactionId : 0, object, arguments: rest };
}

/** A property of an AMF object; undefined where `value` is no object or lacks it. */
export const property = (value: AmfValue, name: string): AmfValue => (isAmfObject(value) ? value.get(name) : undefined);

/** `value` if it is a string. */
export const stringOf = (value: AmfValue): string | undefined => (typeof value === 'string' ? value : undefined);

/** `value` if it is a number. */
export const numberOf = (value: AmfValue): number | undefined => (typeof value === 'number' ? value : undefined);

/** The codecs that the answer to `connect` names, in either of its objects, where servers put them (Enhanced RTMP v2). */
export function fourCcsOf({ object, arguments: [information] }: Command): ReadonlySet<string> {
  return new Set([object, information].flatMap((holder) => [...listed(property(holder, 'fourCcList')), ...mapped(holder)]));
}

const listed = (list: AmfValue): readonly string[] => (Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []);

const mapped = (holder: AmfValue): readonly string[] =>
  ['videoFourCcInfoMap', 'audioFourCcInfoMap'].flatMap((name) => {
    const map = property(holder, name);
    return isAmfObject(map) ? [...map.keys()] : [];
  });
