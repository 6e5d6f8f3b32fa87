import { describe, expect, it } from 'vitest';
import { rungSize } from './rung-size.ts';

const size = (text: string): { width: number; height: number } => {
  const [width = 0, height = 0] = text.split('x').map(Number);
  return { width, height };
};

describe('the size of a rung', () => {
  it.each([
    ['1920x1080', '1280x720', '1280x720'],
    ['1920x1080', '854x480', '854x480'],
    ['1280x720', '854x480', '854x480'],
    ['853x479', '852x478', '852x478'],
    ['1080x1920', '720x1280', '720x1280'],
  ])('of a source of %s, planned as %s, is %s', (source, planned, made) => {
    expect(rungSize(size(source), size(planned))).toEqual(size(made));
  });

  it.each([
    ['1440x1080', '854x480', '640x480'],
    ['1080x1920', '854x480', '480x854'],
    ['2560x1080', '1280x720', '1706x720'],
    ['640x480', '1280x720', '960x720'],
  ])('keeps the shorter side when a source of %s comes to a plan of %s: %s', (source, planned, made) => {
    expect(rungSize(size(source), size(planned))).toEqual(size(made));
  });

  it('follows the source where only a height is planned', () => {
    expect(rungSize(size('1920x1080'), { width: 0, height: 360 })).toEqual(size('640x360'));
  });
});
