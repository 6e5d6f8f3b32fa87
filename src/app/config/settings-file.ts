import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { type KeyPath, keyName } from './keys.ts';
import { checkSettings } from './settings-checks.ts';

export interface SettingsFile {
  /** The version that the file says it was made of. */
  readonly version: number | undefined;
  /** As it is given to the API. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** As the API takes them. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;
/** Aliases are bounded so that a small file cannot unfold into a huge one. */
const ALIASES_MAX = 100;

/** Reads a YAML (or JSON) file of settings. Throws {@link ConfigError} with every problem there is, by line. */
export function readSettingsFile(source: string, fileName: string): SettingsFile {
  const whole = (message: string): ConfigError => new ConfigError([{ key: '', where: fileName, message }]);
  if (Buffer.byteLength(source) > FILE_BYTES_MAX)
    throw whole(`${Buffer.byteLength(source)} bytes are too many: it takes at most ${FILE_BYTES_MAX}`);
  const counter = new LineCounter();
  const parsed = parseDocument(source, { lineCounter: counter, prettyErrors: false, version: '1.2' });
  const where = (offset: number): string => `${fileName}:${counter.linePos(offset).line}`;
  if (parsed.errors.length > 0)
    throw new ConfigError(
      parsed.errors.map((error) => ({ key: '', where: where(error.pos[0]), message: `not readable as YAML: ${error.message}` })),
    );
  const value = unfolded(() => parsed.toJS({ maxAliasCount: ALIASES_MAX }) as unknown, whole);
  const { version, ...document } = (
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { apps: value }
  ) as Record<string, unknown>;
  const { problems } = checkSettings(document);
  const offsets = new Map<string, number>();
  const found: ConfigProblem[] = [];
  if (version !== undefined && !(Number.isSafeInteger(version) && (version as number) >= 0))
    found.push({ key: 'version', where: where(0), message: `${JSON.stringify(version)} is not right: it takes a whole number from 0 on` });
  if (problems.length > 0) gatherOffsets(parsed.contents as Node | null, [], offsets);
  for (const { key, message } of problems) found.push({ key, where: where(offsetOf(key, offsets)), message });
  if (found.length > 0) throw new ConfigError(found);
  return { version: version as number | undefined, document };
}

function unfolded(read: () => unknown, wrong: (message: string) => ConfigError): unknown {
  try {
    const value = read();
    // Aliases stand for the same object many times; written out they may be long.
    if (JSON.stringify(value ?? null).length > FILE_BYTES_MAX)
      throw wrong(`with its aliases written out it is longer than ${FILE_BYTES_MAX} bytes`);
    return value;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw wrong(`not usable: ${(error as Error).message}`);
  }
}

function gatherOffsets(node: Node | null, path: KeyPath, offsets: Map<string, number>): void {
  if (isMap(node)) {
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      const at = [...path, String(isScalar(key) ? key.value : key)];
      offsets.set(keyName(at), key.range?.[0] ?? 0);
      gatherOffsets(value, at, offsets);
    }
  } else if (isSeq(node)) {
    for (const [index, item] of (node.items as (Node | null)[]).entries()) {
      offsets.set(keyName([...path, index]), item?.range?.[0] ?? 0);
      gatherOffsets(item, [...path, index], offsets);
    }
  }
}

/** Of the key, or the nearest one around it that stands in the file. */
function offsetOf(key: string, offsets: ReadonlyMap<string, number>): number {
  for (let name = key; name !== ''; name = name.replace(/(\.[^.[]*|\[\d+\]|^[^.[]+)$/, '')) {
    const offset = offsets.get(name);
    if (offset !== undefined) return offset;
  }
  return 0;
}
