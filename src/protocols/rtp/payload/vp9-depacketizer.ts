import { isKeyframe } from '../../../media/mod.ts';
import { concatenate } from './concatenate.ts';
import { badPayload } from './malformed.ts';
import type { AssembledFrame } from './payload-format.ts';
import { LONG_PICTURE_ID, Vp9Bit } from './vp9-payload.ts';
import { joinSuperframe, SUPERFRAME_FRAMES_MAX } from './vp9-superframe.ts';

/** A picture refers to at most three others in flexible mode. */
const REFERENCES_MAX = 3;

interface Descriptor {
  readonly sizeBytes: number;
  readonly startsLayerFrame: boolean;
  /** 0 without layer indices. */
  readonly spatialId: number;
}

/** RFC 9628, both modes: the layer frames of one picture, as one superframe when there are several. */
export function depacketizeVp9(payloads: readonly Uint8Array[]): AssembledFrame {
  const layers: Uint8Array[][] = [];
  for (const payload of payloads) {
    const { sizeBytes, startsLayerFrame } = readDescriptor(payload);
    if (sizeBytes >= payload.length) throw badPayload('vp9', `a descriptor of ${sizeBytes} bytes in a payload of ${payload.length}`);
    if (startsLayerFrame) layers.push([]);
    const layer = layers.at(-1);
    if (layer === undefined) throw badPayload('vp9', 'the first packet of a picture must start a layer frame (B bit)');
    layer.push(payload.subarray(sizeBytes));
  }
  if (layers.length === 0 || layers.length > SUPERFRAME_FRAMES_MAX) {
    throw badPayload('vp9', `${layers.length} layer frames in one picture; 1 to ${SUPERFRAME_FRAMES_MAX} fit into a superframe`);
  }
  const payload = joinSuperframe(layers.map(concatenate));
  return { payload, isKeyframe: isKeyframe('vp9', payload) };
}

/** Reads a payload descriptor (4.2); its size may be past the end of a broken payload. Never throws. */
function readDescriptor(payload: Uint8Array): Descriptor {
  const flags = payload[0] ?? 0;
  let at = 1;
  if ((flags & Vp9Bit.hasPictureId) !== 0) at += ((payload[at] ?? 0) & LONG_PICTURE_ID) !== 0 ? 2 : 1;
  let spatialId = 0;
  const isFlexible = (flags & Vp9Bit.flexible) !== 0;
  if ((flags & Vp9Bit.hasLayerIndices) !== 0) {
    spatialId = ((payload[at] ?? 0) >> 1) & 7;
    at += isFlexible ? 1 : 2; // TL0PICIDX in non-flexible mode only
  }
  if (isFlexible && (flags & Vp9Bit.interPredicted) !== 0) at = behindReferences(payload, at);
  if ((flags & Vp9Bit.hasScalabilityStructure) !== 0) at = behindScalabilityStructure(payload, at);
  return { sizeBytes: at, startsLayerFrame: (flags & Vp9Bit.startsLayerFrame) !== 0, spatialId };
}

/** P_DIFF bytes; the lowest bit of each (N) says whether another follows. */
function behindReferences(payload: Uint8Array, start: number): number {
  let at = start;
  for (let count = 0; count < REFERENCES_MAX; count += 1) {
    at += 1;
    if (((payload[at - 1] ?? 0) & 1) === 0) break;
  }
  return at;
}

/** The scalability structure (4.2.1): sizes of the spatial layers and the pictures of a group with their references. */
function behindScalabilityStructure(payload: Uint8Array, start: number): number {
  const flags = payload[start] ?? 0;
  let at = start + 1;
  if ((flags & 0x10) !== 0) at += 4 * ((flags >> 5) + 1);
  if ((flags & 0x08) === 0) return at;
  const pictures = payload[at] ?? 0;
  at += 1;
  for (let picture = 0; picture < pictures; picture += 1) at += 1 + (((payload[at] ?? 0) >> 2) & 3);
  return at;
}

/** Whether a picture begins here: the start of a frame of the lowest spatial layer. */
export function vp9StartsFrame(payload: Uint8Array): boolean {
  const { startsLayerFrame, spatialId } = readDescriptor(payload);
  return startsLayerFrame && spatialId === 0;
}

/** Whether a keyframe begins here, by the frame's own header: a missing P bit could be an intra-only picture as well. */
export function vp9StartsKeyframe(payload: Uint8Array): boolean {
  const { sizeBytes, startsLayerFrame, spatialId } = readDescriptor(payload);
  return startsLayerFrame && spatialId === 0 && sizeBytes < payload.length && isKeyframe('vp9', payload.subarray(sizeBytes));
}
