import { type FileHandle, open } from 'node:fs/promises';
import { fragmentEndMs, readMovieNote, trackTimescales } from '../../containers/mod.ts';
import { ProtocolError } from '../../core/mod.ts';

const BOX_HEADER = 8;
/** Of a fragment's samples: far more than four seconds have. */
const INDEX_BYTES_MAX = 4 * 1024 * 1024;

/** What a file is that its process did not end. */
export interface RepairedFile {
  readonly sizeBytes: number;
  readonly durationMs: number;
  /** What it says of itself. */
  readonly note: Uint8Array | undefined;
}

/** Takes off what is torn at the end of a recording, and reads how long it is. Rejects when the file is not there. */
export async function repairFile(path: string): Promise<RepairedFile> {
  const handle = await open(path, 'r+');
  try {
    const { size } = await handle.stat();
    const repaired = await wholePart(handle, size);
    if (repaired.sizeBytes < size) await handle.truncate(repaired.sizeBytes);
    return repaired;
  } finally {
    await handle.close();
  }
}

/** Up to the last fragment that is there with all its data. */
async function wholePart(handle: FileHandle, fileBytes: number): Promise<RepairedFile> {
  let whole: RepairedFile = { sizeBytes: 0, durationMs: 0, note: undefined };
  let timescales: readonly number[] = [];
  let note: Uint8Array | undefined;
  let endMs = 0;
  for (let at = 0; at + BOX_HEADER <= fileBytes; ) {
    const { type, sizeBytes } = readHeader(await readAt(handle, at, BOX_HEADER));
    if (sizeBytes < BOX_HEADER || at + sizeBytes > fileBytes) break;
    const isIndex = type === 'moov' || type === 'moof';
    if (isIndex && sizeBytes > INDEX_BYTES_MAX) break;
    try {
      const body = isIndex ? await readAt(handle, at + BOX_HEADER, sizeBytes - BOX_HEADER) : new Uint8Array();
      if (type === 'moov') [timescales, note] = [trackTimescales(body), readMovieNote(body)];
      if (type === 'moof') endMs = Math.max(endMs, fragmentEndMs(body, timescales));
    } catch (error) {
      if (error instanceof ProtocolError) break;
      throw error;
    }
    at += sizeBytes;
    if (type === 'moov' || type === 'mdat') whole = { sizeBytes: at, durationMs: Math.round(endMs), note };
  }
  return whole;
}

async function readAt(handle: FileHandle, at: number, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  const { bytesRead } = await handle.read(bytes, 0, sizeBytes, at);
  return bytes.subarray(0, bytesRead);
}

function readHeader(bytes: Uint8Array): { readonly type: string; readonly sizeBytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length < BOX_HEADER
    ? { type: '', sizeBytes: 0 }
    : { type: String.fromCharCode(...bytes.subarray(4, BOX_HEADER)), sizeBytes: view.getUint32(0) };
}
