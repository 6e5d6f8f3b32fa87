import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeQuestion } from '../../api/mod.ts';
import { EmbeddedBus, EmbeddedStore } from '../coordination/mod.ts';
import { NodeQuestions } from './node-questions.ts';
import { ClusterSessionSecret, ownSessionSecret } from './session-secret.ts';

let folder: string;
const closings: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-questions-'));
});
afterEach(() => {
  for (const close of closings.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
});

function node(id: string, alive: readonly string[], answer: (question: NodeQuestion, path: string) => unknown): NodeQuestions {
  const bus = new EmbeddedBus({ file: join(folder, 'bus.sqlite'), id });
  const questions = new NodeQuestions({ bus, ownId: id, alive: () => alive, answer, now: () => performance.now() });
  closings.push(
    () => questions.close(),
    () => bus.close(),
  );
  return questions;
}

describe('nodes that ask one another', () => {
  it('get the answers of all who answer, and leave out who is silent or has nothing to say', async () => {
    const alive = ['a', 'b', 'c', 'gone'];
    const first = node('a', alive, (_question, path) => ({ from: 'a', path }));
    node('b', alive, (question) => (question === 'stream' ? { from: 'b' } : undefined));
    node('c', alive, () => undefined);
    await expect.poll(() => first.ask('b', 'stream')).toEqual({ from: 'b' });
    expect(await first.askAll('stream', 'live/x')).toEqual([
      { node: 'a', answer: { from: 'a', path: 'live/x' } },
      { node: 'b', answer: { from: 'b' } },
    ]);
    expect(await first.ask('gone', 'stream')).toBeUndefined();
  });

  it('ask once for all who look at the same at the same time', async () => {
    let asked = 0;
    const one = node('a', ['a'], () => ++asked);
    const [left, right] = await Promise.all([one.askAll('alarms'), one.askAll('alarms')]);
    expect([left, right, asked]).toEqual([[{ node: 'a', answer: 1 }], [{ node: 'a', answer: 1 }], 1]);
  });

  it('wait for an answer that takes a while, and hear nothing where it fails', async () => {
    const first = node('a', ['a', 'b'], () => undefined);
    node('b', ['a', 'b'], (question) =>
      question === 'thumbnail' ? Promise.resolve({ kind: 'none' }) : Promise.reject(new Error('broken')),
    );
    await expect.poll(() => first.ask('b', 'thumbnail')).toEqual({ kind: 'none' });
    expect(await first.ask('b', 'stream')).toBeUndefined();
  });

  it('say nothing rather than more than a message holds', async () => {
    const alive = ['a', 'b'];
    const first = node('a', alive, () => undefined);
    node('b', alive, (question) => (question === 'alarms' ? 'x'.repeat(300_000) : 'short'));
    await expect.poll(() => first.ask('b', 'stream')).toBe('short');
    expect(await first.askAll('alarms')).toEqual([]);
  });
});

describe('the secret of sessions', () => {
  it('is the same on all nodes of a cluster, whoever came first', async () => {
    const secrets = [0, 1, 2].map(() => {
      const store = new EmbeddedStore({ file: join(folder, 'store.sqlite'), onReachable: () => undefined });
      const secret = new ClusterSessionSecret(store);
      closings.push(
        () => secret.close(),
        () => store.close(),
      );
      return secret;
    });
    await expect.poll(() => secrets.every(({ value }) => value !== undefined)).toBe(true);
    expect(new Set(secrets.map(({ value }) => Buffer.from(value ?? []).toString('hex'))).size).toBe(1);
    expect(secrets[0]?.value).toHaveLength(32);
  });

  it('of a node of its own stays over a restart', () => {
    expect(ownSessionSecret(folder)).toEqual(ownSessionSecret(folder));
    expect(ownSessionSecret(join(folder, 'other'))).not.toEqual(ownSessionSecret(folder));
  });
});
