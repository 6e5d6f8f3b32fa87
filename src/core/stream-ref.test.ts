import { describe, expect, it } from 'vitest';
import { SluiceError } from './errors.ts';
import { streamRef } from './stream-ref.ts';

describe('streamRef', () => {
  it.each([
    ['live', 'show'],
    ['tenant-1', 'a.b_c-D9'],
    ['_x', '0'],
    ['live', 'x'.repeat(64)],
  ])('takes %s/%s', (app, name) => {
    expect(streamRef(app, name)).toEqual({ app, name, path: `${app}/${name}` });
  });

  it.each([
    ['live', ''],
    ['', 'show'],
    ['live', '..'],
    ['live', 'a..b'],
    ['live', '.hidden'],
    ['live', '-flag'],
    ['live', 'a/b'],
    ['live', 'a%2fb'],
    ['live', 'a\\b'],
    ['live', 'a\u0000b'],
    ['live', 'a\n'],
    ['live', 'ü'],
    ['live', 'x'.repeat(65)],
    ['api', 'show'],
    ['watch', 'show'],
  ])('refuses %j/%j with a coded error that says what is usable', (app, name) => {
    const attempt = (): unknown => streamRef(app, name);
    expect(attempt).toThrow(SluiceError);
    expect(attempt).toThrow(/is not usable: take 1 to 64/);
  });
});
