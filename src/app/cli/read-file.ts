import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { SluiceError } from '../../core/mod.ts';

/** The text of a file that `--file` names; `-` is standard input. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new SluiceError('cli.file-unreadable', `${file} (--file) cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** What it says as YAML or JSON. What that may be is judged by the server. */
export function readValue<Value>(file: string): Value {
  const text = readText(file);
  try {
    return parse(text, { prettyErrors: false }) as Value;
  } catch (cause) {
    throw new SluiceError('cli.file-unreadable', `${file} (--file) is no YAML: ${(cause as Error).message}`, { cause });
  }
}
