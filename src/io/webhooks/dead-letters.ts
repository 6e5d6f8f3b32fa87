import type { Delivery } from '../../access/mod.ts';
import { decodeVersioned, encodeVersioned, isName, readAmount, readCount, readText } from '../../core/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';

/** An event that could not be delivered. */
export interface DeadLetter extends Omit<Delivery, 'deadlineMs'> {
  readonly diedAtMs: number;
  /** Of the last attempt. */
  readonly httpStatus: number | undefined;
  readonly detail: string | undefined;
}

const LETTERS_MAX = 1_000;
const PRUNE_EVERY = 32;
const BODY_LENGTH_MAX = 64 * 1024;
const prefixOf = (hook: string): string => `webhook-dead/${hook}/`;

/** Dead letters, in the store: one value each, the newest 1,000 of a hook. */
export class DeadLetters {
  private readonly store: StoreCalls;
  private added = 0;

  constructor(store: StoreCalls) {
    this.store = store;
  }

  async list(hook: string): Promise<readonly DeadLetter[]> {
    return (await this.store.list(prefixOf(hook))).map(({ value }) => readLetter(hook, value)).filter((letter) => letter !== undefined);
  }

  async find(hook: string, id: string): Promise<DeadLetter | undefined> {
    const entry = isName(id) ? await this.store.get(`${prefixOf(hook)}${id}`) : undefined;
    return entry === undefined ? undefined : readLetter(hook, entry.value);
  }

  async add({ hook, ...letter }: DeadLetter): Promise<void> {
    await this.store.change(`${prefixOf(hook)}${letter.id}`, () => encodeVersioned({ v: 1, ...letter }));
    if (this.added++ % PRUNE_EVERY === 0) await this.prune(hook);
  }

  /** False: there was none. */
  async remove(hook: string, id: string): Promise<boolean> {
    return isName(id) && this.store.remove(`${prefixOf(hook)}${id}`);
  }

  async forget(hook: string): Promise<void> {
    for (const { key } of await this.store.list(prefixOf(hook))) await this.store.remove(key);
  }

  private async prune(hook: string): Promise<void> {
    const letters = [...(await this.list(hook))].sort((left, right) => right.diedAtMs - left.diedAtMs);
    for (const { id } of letters.slice(LETTERS_MAX)) await this.remove(hook, id);
  }
}

function readLetter(hook: string, value: Uint8Array): DeadLetter | undefined {
  const fields = decodeVersioned(value);
  const id = readText(fields?.['id'], 64);
  const type = readText(fields?.['type'], 64);
  const body = readText(fields?.['body'], BODY_LENGTH_MAX);
  if (fields === undefined || id === undefined || type === undefined || body === undefined) return undefined;
  return {
    hook,
    id,
    type,
    body,
    lane: readText(fields['lane'], 256) ?? '',
    createdAtMs: readAmount(fields['createdAtMs']) ?? 0,
    diedAtMs: readAmount(fields['diedAtMs']) ?? 0,
    attempts: readCount(fields['attempts']) ?? 0,
    httpStatus: readCount(fields['httpStatus']),
    detail: readText(fields['detail'], 256),
  };
}
