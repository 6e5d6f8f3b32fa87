import type { TObject, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { isName } from '../../core/mod.ts';
import type { ConfigProblem } from './config-error.ts';
import { nearest } from './did-you-mean.ts';
import { expectation, groupItem, isGroup, isSafeName, type KeyPath, keyName, namedValue } from './keys.ts';

/** A value together with where it was given, e.g. `sluice.yaml:12`. */
export interface GivenValue {
  readonly path: KeyPath;
  /** Undefined for a group with a free name; the empty list for a list of groups, whose items' values follow. */
  readonly value: unknown;
  readonly where: string;
}

/** Reads a YAML file's text against the schema: the values it gives, and every problem it has. An empty file gives nothing. */
export function readFileValues(source: string, fileName: string, schema: TSchema): { values: GivenValue[]; problems: ConfigProblem[] } {
  const lines = new LineCounter();
  return readYaml(source, new FileReader((offset) => `${fileName}:${lines.linePos(offset).line}`), schema, [], lines);
}

/** Reads one list of groups from an environment variable, written as JSON (or YAML on one line). */
export function readListValues(
  text: string,
  where: string,
  schema: TSchema,
  path: KeyPath,
): { values: GivenValue[]; problems: ConfigProblem[] } {
  return readYaml(text, new FileReader(() => where), schema, path, new LineCounter());
}

function readYaml(source: string, reader: FileReader, schema: TSchema, path: KeyPath, lineCounter: LineCounter): FileReader {
  // Keys are unique by default; aliases are bounded so that a small file cannot unfold into a huge one.
  const document = parseDocument(source, { lineCounter, prettyErrors: false, version: '1.2' });
  for (const error of document.errors) reader.problem(path, error.pos[0], `not readable as YAML: ${error.message}`);
  if (reader.problems.length === 0 && (document.contents !== null || path.length > 0))
    reader.read(document.contents as Node | null, schema, path);
  return reader;
}

class FileReader {
  readonly values: GivenValue[] = [];
  readonly problems: ConfigProblem[] = [];
  private readonly whereIs: (offset: number) => string;

  constructor(whereIs: (offset: number) => string) {
    this.whereIs = whereIs;
  }

  read(node: Node | null, schema: TSchema, path: KeyPath): void {
    const named = namedValue(schema);
    const item = groupItem(schema);
    if (item !== undefined) this.list(node, schema, item, path);
    else if (named === undefined && !isGroup(schema)) this.leaf(node, schema, path);
    else if (isMap(node)) this.group(node, schema, named, path);
    // `log:` with nothing below it means the same as no `log` at all.
    else if (node !== null && !(isScalar(node) && node.value === null)) {
      this.problem(path, startOf(node), `${shown(node)} is not right here: it takes a group of keys, indented below it`);
    }
  }

  private list(node: Node | null, schema: TSchema, item: TObject, path: KeyPath): void {
    if (!isSeq(node) || node.items.length > schema['maxItems']) {
      const given = isSeq(node)
        ? `a list of ${node.items.length}`
        : node === null || (isScalar(node) && node.value === null)
          ? 'nothing'
          : shown(node);
      this.problem(path, startOf(node), `${given} is not right: it takes ${expectation(schema)}`);
      return;
    }
    this.values.push({ path, value: [], where: this.whereIs(startOf(node)) });
    for (const [index, entry] of (node.items as (Node | null)[]).entries()) {
      const at = [...path, index];
      const offset = startOf(entry) || startOf(node);
      if (isMap(entry)) this.read(entry, item, at);
      else if (entry !== null && !(isScalar(entry) && entry.value === null)) {
        this.problem(at, offset, `${shown(entry)} is not right here: it takes a group of keys`);
        continue;
      }
      this.missing(entry, item, at, offset);
    }
  }

  /** Keys of a list's item that have no default. */
  private missing(node: Node | null, item: TObject, path: KeyPath, offset: number): void {
    for (const [name, schema] of Object.entries(item.properties)) {
      if (schema['default'] !== undefined || (isMap(node) && node.has(name))) continue;
      this.problem([...path, name], offset, `missing: it takes ${expectation(schema)}`);
    }
  }

  private group(map: YAMLMap, schema: TSchema, named: TSchema | undefined, path: KeyPath): void {
    const children: Record<string, TSchema> = schema['properties'] ?? {};
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
      const child = named ?? (Object.hasOwn(children, name) ? children[name] : undefined);
      const at = [...path, name];
      if (child === undefined) this.unknown(at, startOf(pair.key), Object.keys(children));
      else if (named !== undefined && !isSafeName(name)) {
        this.problem(
          at,
          startOf(pair.key),
          isName(name)
            ? 'not usable as a name: it is a reserved word'
            : 'not usable as a name: take 1 to 64 letters, digits, "_", "." or "-", starting with a letter, digit or "_"',
        );
      } else {
        if (named !== undefined) this.values.push({ path: at, value: undefined, where: this.whereIs(startOf(pair.key)) });
        this.read(pair.value, child, at);
      }
    }
  }

  private unknown(path: KeyPath, offset: number, siblings: readonly string[]): void {
    const meant = nearest(String(path.at(-1) ?? ''), siblings);
    const group = path.length === 1 ? 'the file' : keyName(path.slice(0, -1));
    const hint = meant === undefined ? `${group} takes ${siblings.join(', ')}` : `did you mean ${keyName([...path.slice(0, -1), meant])}?`;
    this.problem(path, offset, `unknown key; ${hint}`);
  }

  private leaf(node: Node | null, schema: TSchema, path: KeyPath): void {
    const value: unknown = node === null ? null : node.toJS(EMPTY_DOCUMENT, { maxAliasCount: 0 });
    const offset = startOf(node);
    if (Value.Check(schema, value)) this.values.push({ path, value, where: this.whereIs(offset) });
    else this.problem(path, offset, notRight(value, schema));
  }

  problem(path: KeyPath, offset: number, message: string): void {
    this.problems.push({ key: keyName(path), where: this.whereIs(offset), message });
  }
}

const EMPTY_DOCUMENT = parseDocument('');
const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;
const shown = (node: Node): string => JSON.stringify(isScalar(node) ? node.value : String(node)).slice(0, 80);

/** "70000 is not right: it takes a whole number from 0 to 65535 (default 8080)"; secrets are not repeated. */
export function notRight(value: unknown, schema: TSchema): string {
  const given =
    schema['secret'] === true ? 'what is given' : value === null ? 'nothing' : (JSON.stringify(value) ?? String(value)).slice(0, 80);
  const fallback = schema['secret'] === true || schema['default'] === undefined ? '' : ` (default ${JSON.stringify(schema['default'])})`;
  return `${given} is not right: it takes ${expectation(schema)}${fallback}`;
}
