import { describe, expect, it } from 'vitest';
import { AdmittedSessions, decodeWithdrawal, encodeWithdrawal, keyCredential, tokenCredential } from './withdrawal.ts';

describe('sessions that a key or token let in', () => {
  it('end with it, and no others', () => {
    const ended: string[] = [];
    const sessions = new AdmittedSessions(() => false);
    sessions.begin('key.1', () => ended.push('a'));
    const over = sessions.begin('key.1', () => ended.push('b'));
    sessions.begin('key.2', () => ended.push('c'));
    sessions.begin(undefined, () => ended.push('d'));
    over();
    expect(sessions.end('key.1')).toBe(1);
    expect(sessions.end('key.1')).toBe(0);
    expect(ended).toEqual(['a']);
  });

  it('end at once when it was taken away while they began', () => {
    const ended: string[] = [];
    const sessions = new AdmittedSessions((credential) => credential === 'key.1');
    sessions.begin('key.1', () => ended.push('a'));
    expect(ended).toEqual(['a']);
  });

  it('may say that they are over while they are ended', () => {
    const sessions = new AdmittedSessions(() => false);
    const over: (() => void)[] = [];
    for (let index = 0; index < 3; index++) over.push(sessions.begin('key.1', () => over[index]?.()));
    expect(sessions.end('key.1')).toBe(3);
  });
});

describe('withdrawals', () => {
  it('are kept under names that a store takes', () => {
    const id = tokenCredential('ab'.repeat(32));
    expect(id.length).toBeLessThanOrEqual(64);
    const record = { v: 1, id, app: 'live', withdrawnAtMs: 1, expiresAtMs: 2 } as const;
    expect(decodeWithdrawal(encodeWithdrawal(record))).toEqual(record);
    expect(keyCredential('0011')).not.toBe(tokenCredential('0011'));
    expect(decodeWithdrawal(new TextEncoder().encode('{"v":1,"id":3}'))).toBeUndefined();
  });
});
