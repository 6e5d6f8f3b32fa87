import { describe, expect, it } from 'vitest';
import { type KeyPress, playerAction } from './keyboard.ts';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  focus: 'BODY',
  ...more,
});

describe('keyboard', () => {
  it('steers the player', () => {
    expect([' ', 'k', 'M', 'f', 'i', 'l', '?', 'x'].map((key) => playerAction(press(key)))).toEqual([
      'play',
      'play',
      'mute',
      'fullscreen',
      'info',
      'live',
      'help',
      undefined,
    ]);
  });
  it('leaves the space bar to a focused button, and all keys to a field', () => {
    expect(playerAction(press(' ', { focus: 'BUTTON' }))).toBeUndefined();
    expect(playerAction(press('m', { focus: 'BUTTON' }))).toBe('mute');
    expect(playerAction(press('m', { focus: 'INPUT' }))).toBeUndefined();
    expect(playerAction(press('f', { focus: 'SELECT' }))).toBeUndefined();
  });
  it('leaves the browser its own shortcuts', () => {
    for (const modifier of ['ctrlKey', 'altKey', 'metaKey'] as const)
      expect(playerAction(press('f', { [modifier]: true }))).toBeUndefined();
  });
});
