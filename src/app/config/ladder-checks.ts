import { isName } from '../../core/mod.ts';
import { encoderFits, isEncoderName } from '../../transcode/mod.ts';
import type { LadderConfig, RungConfig } from './config.ts';

/** Takes what is wrong with the value of a key. */
type Problem = (key: string, message: string) => void;

/** What the page and the playlists call the stream as it is published. */
const SOURCE_NAME = 'source';
const RENDITION_NAMES_RESERVED: ReadonlySet<string> = new Set([SOURCE_NAME, 'auto']);

const ENCODERS = 'take "auto", "software" or one that the API lists for the codec';

/** `transcode.encoder`. */
export function encoderCheck(encoder: string, problem: Problem): void {
  if (!isEncoderName(encoder)) problem('transcode.encoder', `"${encoder}" is no encoder: ${ENCODERS}`);
}

/** What no single key of a ladder can tell. `key`: of the ladder, e.g. `apps.live.ladder`. */
export function ladderChecks(key: string, { template, rungs }: LadderConfig, problem: Problem): void {
  if (template === 'custom' && rungs.length === 0) {
    problem(`${key}.template`, `"custom" makes the rungs in ${key}.rungs: name at least one there, or take "off"`);
  }
  if (template !== 'custom' && rungs.length > 0) {
    problem(`${key}.rungs`, `these are for the template "custom" alone: set ${key}.template to it, or leave them out`);
  }
  for (const [index, rung] of rungs.entries()) rungChecks(`${key}.rungs[${index}]`, rung, rungs.slice(0, index), problem);
}

function rungChecks(key: string, rung: RungConfig, before: readonly RungConfig[], problem: Problem): void {
  const { name, codec, height, channels, encoder } = rung;
  if (!isName(name)) {
    problem(
      `${key}.name`,
      `"${name}" is not usable as a name: take 1 to 64 letters, digits, "_", "." or "-", starting with a letter, digit or "_"`,
    );
  } else if (RENDITION_NAMES_RESERVED.has(name)) problem(`${key}.name`, `"${name}" has a meaning of its own: take another name`);
  else if (before.some((other) => other.name === name)) problem(`${key}.name`, `"${name}" is the name of a rung before: take another`);
  if (height % 2 !== 0) problem(`${key}.height`, `${height} is not right: encoders take even heights, ${height - 1} or ${height + 1}`);
  if (codec === 'aac' || codec === 'opus') soundChecks(key, rung, problem);
  else {
    if (!encoderFits(encoder, codec)) problem(`${key}.encoder`, `"${encoder}" does not make ${codec}: ${ENCODERS}`);
    if (channels > 0) problem(`${key}.channels`, `a rung of pictures (codec ${codec}) has the source's sound: leave it out`);
  }
}

function soundChecks(key: string, { codec, height, frameRateMax, encoder }: RungConfig, problem: Problem): void {
  if (height > 0) problem(`${key}.height`, `a rung of sound (codec ${codec}) has no height: leave it out`);
  if (frameRateMax > 0) problem(`${key}.frameRateMax`, `a rung of sound (codec ${codec}) has no frame rate: leave it out`);
  if (encoder !== 'auto') problem(`${key}.encoder`, `a rung of sound (codec ${codec}) takes no encoder: leave it out`);
}
