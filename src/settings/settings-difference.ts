import { isJsonObject, isSameJson, type Json } from './json.ts';

/** One thing that differs between two documents. */
export interface SettingsDifference {
  /** E.g. `apps.live.ladder.rungs[1].height`. */
  readonly path: string;
  /** Absent: it is not there. */
  readonly before?: Json;
  readonly after?: Json;
}

/** What differs, in the order of the first document's fields and then the other's. Lists of another length differ as a whole. */
export function differenceOf(before: Json | undefined, after: Json | undefined, path = ''): SettingsDifference[] {
  if (isSameJson(before, after)) return [];
  if (isJsonObject(before) && isJsonObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      differenceOf(own(before, name), own(after, name), path === '' ? name : `${path}.${name}`),
    );
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => differenceOf(item as Json, after[index] as Json, `${path}[${index}]`));
  }
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

const own = (value: { readonly [name: string]: Json }, name: string): Json | undefined =>
  Object.hasOwn(value, name) ? value[name] : undefined;
