import type { TObject } from '@sinclair/typebox';
import { APPS_MAX, parseIpNetwork } from '../../access/mod.ts';
import { appPatchSchema } from '../../api/mod.ts';
import { ROUTE_WEIGHTS } from '../../cluster/mod.ts';
import { isStreamPattern, streamRef } from '../../core/mod.ts';
import type { GivenSettings, Json, JsonObject } from '../../settings/mod.ts';
import type { LadderConfig } from './config.ts';
import { keyName } from './keys.ts';
import { ladderChecks } from './ladder-checks.ts';
import { ladderSchema } from './schema.ts';
import { routingSchema, transcodingSchema } from './settings-schema.ts';
import { checkName, checkValue, groupOf, type TakeProblem, unknownKey } from './value-checks.ts';
import { withDefaults } from './value-defaults.ts';

export interface SettingsProblem {
  /** E.g. `apps.live.ladder.rungs[0].height`; '' for the whole. */
  readonly key: string;
  readonly message: string;
}

/** What was checked: the value with its defaults, or every problem it has. */
export type Checked<Value> = { readonly value: Value; readonly problems: readonly SettingsProblem[] };

const HEADER = /^[A-Za-z0-9-]*$/;
const REGION = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
const ROUTING = routingSchema(ROUTE_WEIGHTS);
const SECTIONS = ['apps', 'transcoding', 'routing'];
const appFields = (appPatchSchema as TObject).properties;

/** Checks a document of settings. */
export function checkSettings(value: unknown): Checked<GivenSettings> {
  return checked((problem) => {
    const document = groupOf(value, [], problem) ?? {};
    const given: { -readonly [Section in keyof GivenSettings]: GivenSettings[Section] } = {};
    for (const [name, section] of Object.entries(document)) {
      if (name === 'apps') given.apps = checkApps(section, problem);
      else if (name === 'transcoding') given.transcoding = section === null ? null : readTranscoding(section, problem);
      else if (name === 'routing') given.routing = section === null ? null : readRouting(section, name, problem);
      else unknownKey(name, SECTIONS, [], problem);
    }
    return given;
  });
}

/** Checks a ladder; all keys are below `key`, e.g. `apps.live.ladder`, or '' for a ladder by itself. */
export const checkLadder = (value: unknown): Checked<Json> => checked((problem) => readLadder(value, [], problem));

export const checkRouting = (value: unknown): Checked<Json> => checked((problem) => readRouting(value, '', problem));

function checked<Value>(read: (problem: TakeProblem) => Value): Checked<Value> {
  const problems: SettingsProblem[] = [];
  const value = read((key, message) => problems.push({ key, message }));
  return { value, problems };
}

function checkApps(value: unknown, problem: TakeProblem): Record<string, JsonObject> {
  const apps = Object.entries(groupOf(value, ['apps'], problem) ?? {});
  if (apps.length > APPS_MAX) {
    problem('apps', `${apps.length} are too many: there are at most ${APPS_MAX}`);
    return {};
  }
  return Object.fromEntries(apps.map(([name, app]) => [name, checkApp(name, app, problem)]));
}

function checkApp(name: string, value: unknown, problem: TakeProblem): JsonObject {
  const path = ['apps', name];
  if (!checkName(name, ['apps'], problem)) return {};
  try {
    streamRef(name, 'any');
  } catch {
    problem(keyName(path), 'this name is a reserved word of URLs: take another');
  }
  // `news:` with nothing below it is an app as it is when it is new.
  const app = value === null ? {} : (groupOf(value, path, problem) ?? {});
  const { ladder, ...fields } = app;
  for (const [field, given] of Object.entries(fields)) {
    const schema = Object.hasOwn(appFields, field) ? appFields[field] : undefined;
    if (schema === undefined) unknownKey(field, [...Object.keys(appFields), 'ladder'], path, problem);
    else if (given !== null) checkValue(withoutNulls(given), schema, [...path, field], problem);
  }
  const made = ladder === undefined || ladder === null ? ladder : readLadder(ladder, [...path, 'ladder'], problem);
  return { ...(fields as JsonObject), ...(made === undefined ? {} : { ladder: made }) };
}

/** null unsets a single field, too. */
const withoutNulls = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
    : value;

function readLadder(value: unknown, path: readonly string[], problem: TakeProblem): Json {
  const found = problemsOf((take) => checkValue(value, ladderSchema, path, take), problem);
  if (found) return null;
  const ladder = withDefaults(value, ladderSchema) as LadderConfig;
  ladderChecks(keyName(path), ladder, (key, message) => problem(key.replace(/^\./, ''), message));
  return asJson(ladder);
}

function readTranscoding(value: unknown, problem: TakeProblem): Json {
  if (problemsOf((take) => checkValue(value, transcodingSchema, ['transcoding'], take), problem)) return null;
  const settings = withDefaults(value, transcodingSchema) as { rules: Record<string, string>[]; pins: { stream: string }[] };
  for (const [index, rule] of settings.rules.entries()) {
    for (const field of ['app', 'stream', 'rung']) {
      if (!isStreamPattern(rule[field] ?? ''))
        problem(
          `transcoding.rules[${index}].${field}`,
          `${JSON.stringify(rule[field])} is no pattern: take a name, with "*" for any characters`,
        );
    }
  }
  for (const [index, { stream }] of settings.pins.entries()) {
    if (stream.split('/').length !== 2) problem(`transcoding.pins[${index}].stream`, `"${stream}" is no stream: write APP/NAME`);
  }
  return asJson(settings);
}

function readRouting(value: unknown, key: string, problem: TakeProblem): Json {
  const path = key === '' ? [] : [key];
  if (problemsOf((take) => checkValue(value, ROUTING, path, take), problem)) return null;
  const rules = withDefaults(value, ROUTING) as { networks: Record<string, string[]>; regionHeader: string };
  if (!HEADER.test(rules.regionHeader))
    problem(keyName([...path, 'regionHeader']), `${JSON.stringify(rules.regionHeader)} is no header: take letters, digits and "-"`);
  for (const [region, networks] of Object.entries(rules.networks)) {
    if (!REGION.test(region)) problem(keyName([...path, 'networks', region]), 'not usable as the name of a region');
    for (const [index, network] of networks.entries()) {
      try {
        parseIpNetwork(network);
      } catch (error) {
        problem(keyName([...path, 'networks', region, index]), (error as Error).message);
      }
    }
  }
  return asJson(rules);
}

/** As it is kept and read again: what has no value is not there. */
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Whether there were any. */
function problemsOf(check: (take: TakeProblem) => void, problem: TakeProblem): boolean {
  let count = 0;
  check((key, message) => {
    count++;
    problem(key, message);
  });
  return count > 0;
}
