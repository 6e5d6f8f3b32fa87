import { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from '../core/mod.ts';
import type { LadderSettings, RungSettings } from './ladder-templates.ts';

const TEMPLATES: readonly LadderSettings['template'][] = ['off', 'webrtc', 'abr', 'custom'];
const CODECS: readonly RungSettings['codec'][] = ['h264', 'vp8', 'vp9', 'av1', 'hevc', 'aac', 'opus'];
const PRESETS: readonly RungSettings['preset'][] = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium'];
const NAME_LENGTH_MAX = 64;

/** An app's ladder as the store keeps it, under `ladders/APP`. */
export const encodeLadder = ({ template, rungs, always, lingerMs }: LadderSettings): Uint8Array =>
  encodeVersioned({ v: 1, template, rungs, always, lingerMs });

/** Reads borrowed bytes; undefined for what is no ladder. Rungs that cannot be read are left out. */
export function decodeLadder(bytes: Uint8Array): LadderSettings | undefined {
  const fields = decodeVersioned(bytes);
  const template = TEMPLATES.find((known) => known === fields?.['template']);
  if (fields === undefined || template === undefined) return undefined;
  const rungs: readonly unknown[] = Array.isArray(fields['rungs']) ? fields['rungs'] : [];
  return {
    template,
    rungs: rungs.map(readRung).filter((rung) => rung !== undefined),
    always: fields['always'] === true,
    lingerMs: readAmount(fields['lingerMs']) ?? 0,
  };
}

function readRung(value: unknown): RungSettings | undefined {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as UnknownFields;
  const name = readText(fields['name'], NAME_LENGTH_MAX);
  const codec = CODECS.find((known) => known === fields['codec']);
  if (name === undefined || codec === undefined) return undefined;
  return {
    name,
    codec,
    height: readCount(fields['height']) ?? 0,
    frameRateMax: readCount(fields['frameRateMax']) ?? 0,
    bitrateBps: readCount(fields['bitrateBps']) ?? 0,
    preset: PRESETS.find((known) => known === fields['preset']) ?? 'veryfast',
    encoder: readText(fields['encoder'], NAME_LENGTH_MAX) ?? 'auto',
    channels: readCount(fields['channels']) ?? 0,
  };
}
