import { amfObject, encodeAmf0 } from '../../containers/mod.ts';

/** The body of an `onStatus` command (RTMP 1.0, 7.2.2), newly made. */
export function statusBody(level: 'status' | 'error', code: string, description: string): Uint8Array {
  return encodeAmf0('onStatus', 0, null, amfObject({ level, code, description }));
}
