import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { isName } from '../../core/mod.ts';
import type { ConfigProblem } from './config-error.ts';
import { nearest } from './did-you-mean.ts';
import { expectation, isGroup, namedValue } from './keys.ts';

/** A value together with where it was given, e.g. `sluice.yaml:12`. */
export interface GivenValue {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly where: string;
}

/** Reads a YAML file's text against the schema: the values it gives, and every problem it has. An empty file gives nothing. */
export function readFileValues(source: string, fileName: string, schema: TSchema): { values: GivenValue[]; problems: ConfigProblem[] } {
  const lines = new LineCounter();
  // Keys are unique by default; aliases are bounded so that a small file cannot unfold into a huge one.
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const reader = new FileReader(fileName, lines);
  for (const error of document.errors) reader.problem([], error.pos[0], `not readable as YAML: ${error.message}`);
  if (reader.problems.length === 0 && document.contents !== null) reader.read(document.contents as Node, schema, []);
  return reader;
}

class FileReader {
  readonly values: GivenValue[] = [];
  readonly problems: ConfigProblem[] = [];
  private readonly fileName: string;
  private readonly lines: LineCounter;

  constructor(fileName: string, lines: LineCounter) {
    this.fileName = fileName;
    this.lines = lines;
  }

  read(node: Node | null, schema: TSchema, path: readonly string[]): void {
    const named = namedValue(schema);
    if (named === undefined && !isGroup(schema)) this.leaf(node, schema, path);
    else if (isMap(node)) this.group(node, schema, named, path);
    // `log:` with nothing below it means the same as no `log` at all.
    else if (node !== null && !(isScalar(node) && node.value === null)) {
      this.problem(path, startOf(node), `${shown(node)} is not right here: it takes a group of keys, indented below it`);
    }
  }

  private group(map: YAMLMap, schema: TSchema, named: TSchema | undefined, path: readonly string[]): void {
    const children: Record<string, TSchema> = schema['properties'] ?? {};
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
      const child = named ?? (Object.hasOwn(children, name) ? children[name] : undefined);
      const at = [...path, name];
      if (child === undefined) this.unknown(at, startOf(pair.key), Object.keys(children));
      else if (named !== undefined && !isName(name)) {
        this.problem(
          at,
          startOf(pair.key),
          'not usable as a name: take 1 to 64 letters, digits, "_", "." or "-", starting with a letter, digit or "_"',
        );
      } else {
        if (named !== undefined) this.values.push({ path: at, value: undefined, where: this.where(startOf(pair.key)) });
        this.read(pair.value, child, at);
      }
    }
  }

  private unknown(path: readonly string[], offset: number, siblings: readonly string[]): void {
    const meant = nearest(path.at(-1) ?? '', siblings);
    const group = path.length === 1 ? 'the file' : path.slice(0, -1).join('.');
    const hint = meant === undefined ? `${group} takes ${siblings.join(', ')}` : `did you mean ${[...path.slice(0, -1), meant].join('.')}?`;
    this.problem(path, offset, `unknown key; ${hint}`);
  }

  private leaf(node: Node | null, schema: TSchema, path: readonly string[]): void {
    const value: unknown = node === null ? null : node.toJS(EMPTY_DOCUMENT, { maxAliasCount: 0 });
    const offset = startOf(node);
    if (Value.Check(schema, value)) this.values.push({ path, value, where: this.where(offset) });
    else this.problem(path, offset, notRight(value, schema));
  }

  problem(path: readonly string[], offset: number, message: string): void {
    this.problems.push({ key: path.join('.'), where: this.where(offset), message });
  }

  private where(offset: number): string {
    return `${this.fileName}:${this.lines.linePos(offset).line}`;
  }
}

const EMPTY_DOCUMENT = parseDocument('');
const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;
const shown = (node: Node): string => JSON.stringify(isScalar(node) ? node.value : String(node)).slice(0, 80);

/** "70000 is not right: it takes a whole number from 0 to 65535 (default 8080)"; secrets are not repeated. */
export function notRight(value: unknown, schema: TSchema): string {
  const given =
    schema['secret'] === true ? 'what is given' : value === null ? 'nothing' : (JSON.stringify(value) ?? String(value)).slice(0, 80);
  const fallback = schema['secret'] === true ? '' : ` (default ${JSON.stringify(schema['default'])})`;
  return `${given} is not right: it takes ${expectation(schema)}${fallback}`;
}
