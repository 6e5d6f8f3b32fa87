import { describe, expect, it } from 'vitest';
import { extentWords, refusalWords, routeQuery, scoreWords } from './route-answer.ts';

describe('asking where somebody is sent', () => {
  it('leaves out what is not asked for, and writes names so that they stay one value', () => {
    expect(routeQuery({})).toBe('explain=1');
    expect(routeQuery({ stream: 'live/a&b', publish: true, address: '2001:db8::1' })).toBe(
      'explain=1&stream=live%2Fa%26b&address=2001%3Adb8%3A%3A1&publish=1',
    );
  });

  it('has words for every reason, and shows those that are new as they are', () => {
    expect(refusalWords('full')).toBe('it has no room left');
    expect(refusalWords('tired')).toBe('tired');
    expect(scoreWords({ isNear: true, hasStream: true })).toBe('in the client’s region, has the stream already');
    expect(scoreWords({ isNear: false, hasStream: false })).toBe('by its room alone');
    expect(extentWords('full')).toBe('it has no room left, and neither has any other');
  });
});
