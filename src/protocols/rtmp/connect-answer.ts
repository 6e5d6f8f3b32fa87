import { type AmfObject, type AmfValue, amfObject, isAmfObject } from '../../containers/mod.ts';
import { numberOf, property } from './command.ts';

// Enhanced RTMP v2, "Enhancing NetConnection connect Command".
const VIDEO_FOURCC = ['avc1', 'hvc1', 'av01', 'vp09', 'vp08'];
const AUDIO_FOURCC = ['mp4a', 'Opus', '.mp3'];
const CAN_FORWARD = 4;
const CAPABILITY_RECONNECT = 1;
const CAPABILITY_MULTITRACK = 2;
const CAPABILITY_MOD_EX = 4;

/** The properties object of connect's `_result`. */
export function connectProperties(parameters: AmfValue): AmfObject {
  return amfObject({ fmsVer: 'FMS/3,5,7,7009', capabilities: 31, mode: 1, ...enhancements(parameters) });
}

/** The information object of connect's `_result`. Answers AMF0 whatever `objectEncoding` was asked for: a client has to follow. */
export function connectInformation(parameters: AmfValue): AmfObject {
  return amfObject({
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'Connection succeeded.',
    objectEncoding: 0,
    // The specification leaves open which of the two objects carries them, and clients differ.
    ...enhancements(parameters),
  });
}

/** What of Enhanced RTMP the server has, told only to a client that says that it knows Enhanced RTMP. */
function enhancements(parameters: AmfValue): { readonly [name: string]: AmfValue } {
  const names = ['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap', 'capsEx'];
  if (!isAmfObject(parameters) || !names.some((name) => parameters.has(name))) return {};
  const capabilities = numberOf(property(parameters, 'capsEx'));
  return {
    fourCcList: [...VIDEO_FOURCC, ...AUDIO_FOURCC],
    videoFourCcInfoMap: forwardable(VIDEO_FOURCC),
    audioFourCcInfoMap: forwardable(AUDIO_FOURCC),
    ...(capabilities === undefined ? {} : { capsEx: capabilities & (CAPABILITY_RECONNECT | CAPABILITY_MULTITRACK | CAPABILITY_MOD_EX) }),
  };
}

/** Whether the client connects anew when it is asked to (Enhanced RTMP v2, "Reconnect Request"). */
export function canReconnect(parameters: AmfValue): boolean {
  const capabilities = numberOf(property(parameters, 'capsEx')) ?? 0;
  return (capabilities & CAPABILITY_RECONNECT) !== 0;
}

const forwardable = (codes: readonly string[]): AmfObject => new Map(codes.map((code) => [code, CAN_FORWARD]));
