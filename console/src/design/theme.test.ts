import { describe, expect, it } from 'vitest';
import { nextTheme, parseTheme } from './theme.ts';

describe('theme', () => {
  it('is reached in three presses from any other', () => expect(nextTheme(nextTheme(nextTheme('dark')))).toBe('dark'));
  it('follows the system when nothing sensible is stored', () => {
    expect([null, '', 'blue', 'dark', 'light'].map(parseTheme)).toEqual(['system', 'system', 'system', 'dark', 'light']);
  });
});
