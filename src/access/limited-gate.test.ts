import { describe, expect, it } from 'vitest';
import { streamRef } from '../core/mod.ts';
import type { AccessDecision, AccessRequest } from './access-gate.ts';
import { type AppFigures, NO_FIGURES } from './app-figures.ts';
import { type AppLimits, LIMIT_MAX, NO_LIMITS, readLimits } from './app-limits.ts';
import { LimitedGate } from './limited-gate.ts';

const REF = streamRef('live', 'show');

interface Situation {
  readonly limits: Partial<AppLimits>;
  readonly usage?: Partial<AppFigures>;
  readonly isPublished?: boolean;
  readonly wasTooMuch?: boolean;
  readonly inner?: AccessDecision;
}

function gateIn({ limits, usage, isPublished = false, wasTooMuch = false, inner = 'allowed' }: Situation): LimitedGate {
  const open = { admit: (_request: AccessRequest, decided: (made: AccessDecision) => void) => decided(inner), asksForPage: () => false };
  return new LimitedGate(
    { ...open, isOpen: () => inner === 'allowed' },
    {
      limitsOf: () => ({ ...NO_LIMITS, ...limits }),
      usageOf: () => ({ ...NO_FIGURES, ...usage }),
      isPublished: () => isPublished,
      wasTooMuch: () => wasTooMuch,
    },
  );
}

function decide(situation: Situation, act: AccessRequest['act'], more: Partial<AccessRequest> = {}): AccessDecision | undefined {
  let decision: AccessDecision | undefined;
  gateIn(situation).admit({ act, ref: REF, credential: {}, address: '192.0.2.1', ...more }, (made) => {
    decision = made;
  });
  return decision;
}

describe('limits at the door', () => {
  it.each<[string, Situation, AccessRequest['act'], string | undefined]>([
    ['a stream below the limit', { limits: { streams: 2 }, usage: { streams: 1 } }, 'publish', undefined],
    ['one stream too many', { limits: { streams: 2 }, usage: { streams: 2 } }, 'publish', 'limit-streams'],
    ['no stream at all', { limits: { streams: 0 } }, 'publish', 'limit-streams'],
    ['a stream that is published already', { limits: { streams: 2 }, usage: { streams: 2 }, isPublished: true }, 'publish', undefined],
    ['a publisher while all send too much', { limits: { bitrateInBps: 100 }, usage: { bitrateInBps: 100 } }, 'publish', 'limit-bitrate-in'],
    ['who sent too much just now', { limits: { bitrateInBps: 100 }, isPublished: true, wasTooMuch: true }, 'publish', 'limit-bitrate-in'],
    ['a publisher with limits of viewers', { limits: { viewers: 0, bitrateOutBps: 0 } }, 'publish', undefined],
    ['a viewer below the limit', { limits: { viewers: 2 }, usage: { viewers: 1 } }, 'play', undefined],
    ['one viewer too many', { limits: { viewers: 2 }, usage: { viewers: 2 } }, 'play', 'limit-viewers'],
    [
      'a viewer while all get as much as they may',
      { limits: { bitrateOutBps: 9 }, usage: { bitrateOutBps: 9 } },
      'play',
      'limit-bitrate-out',
    ],
    ['a viewer with limits of publishers', { limits: { streams: 0, bitrateInBps: 0, transcodeMinutes: 0 } }, 'play', undefined],
    ['anybody without limits', { limits: {}, usage: { viewers: 1e9, streams: 1e9 } }, 'play', undefined],
  ])('%s', (_what, situation, act, refused) => {
    expect(decide(situation, act)).toEqual(refused === undefined ? 'allowed' : { refused });
  });

  it('let those go on who are viewing already', () => {
    expect(decide({ limits: { viewers: 1 }, usage: { viewers: 1 } }, 'play', { isViewing: true })).toBe('allowed');
  });

  it('say nothing to those who may not anyway', () => {
    const situation: Situation = { limits: { streams: 0 }, inner: { refused: 'key-wrong' } };
    expect(decide(situation, 'publish')).toEqual({ refused: 'key-wrong' });
  });

  it('for viewers close an open app, so that each is asked for', () => {
    expect(gateIn({ limits: { streams: 1 } }).isOpen('live')).toBe(true);
    expect(gateIn({ limits: { viewers: 1 } }).isOpen('live')).toBe(false);
    expect(gateIn({ limits: { bitrateOutBps: 1 } }).isOpen('live')).toBe(false);
    expect(gateIn({ limits: {}, inner: { refused: 'token-missing' } }).isOpen('live')).toBe(false);
  });
});

describe('limits in a record', () => {
  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1.5, LIMIT_MAX + 1, '5', null, {}])('of %j are none', (value) => {
    expect(readLimits({ viewers: value, streams: 3, other: 1 })).toEqual({ ...NO_LIMITS, streams: 3 });
  });
});
