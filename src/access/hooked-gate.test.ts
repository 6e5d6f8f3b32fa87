import { describe, expect, it } from 'vitest';
import { monotonicMs, streamRef } from '../core/mod.ts';
import type { AccessDecision, AccessGate, AccessRequest } from './access-gate.ts';
import type { HookOutcome } from './hook-answer.ts';
import { type AdmissionQuestion, HOOKED_GATE_LIMITS, HookedGate, type HookedGateLimits } from './hooked-gate.ts';
import type { WebhookRecord } from './webhook-record.ts';
import { admissionHook, eventsHook, MemoryRecords } from './webhook-records.fixture.ts';
import { WebhookReplica } from './webhook-replica.ts';

const ALLOW: HookOutcome = { status: 200, body: '{"allow": true}' };
const REFUSE: HookOutcome = { status: 200, body: '{"allow": false, "reason": "not\\r\\npaid"}' };
const DOWN: HookOutcome = { failed: 'timeout', detail: 'slow' };

interface Asked {
  readonly hook: string;
  readonly question: AdmissionQuestion;
  readonly answer: (outcome: HookOutcome) => void;
}

function setUp(hooks: readonly WebhookRecord[], { limits = {}, isRead = true, inner = 'allowed' as AccessDecision } = {}) {
  const records = new MemoryRecords(isRead);
  const replica = new WebhookReplica(records);
  for (const hook of hooks) records.put(hook);
  const clock = { now: 1_000 };
  const asked: Asked[] = [];
  const refusedPublishers: string[] = [];
  const behind: AccessGate = { admit: (_request, decided) => decided(inner), isOpen: () => true, asksForPage: () => false };
  const all: HookedGateLimits = { ...HOOKED_GATE_LIMITS, ...limits };
  const gate = new HookedGate(
    behind,
    replica,
    {
      now: () => monotonicMs(clock.now),
      ask: ({ id }, question, answer) => asked.push({ hook: id, question, answer }),
      tooMany: () => undefined,
      publisherRefused: ({ ref }, code) => refusedPublishers.push(`${ref.path} ${code}`),
    },
    all,
  );
  const admit = (request: Partial<AccessRequest> = {}): AccessDecision[] => {
    const decisions: AccessDecision[] = [];
    gate.admit(
      { act: 'play', ref: streamRef('live', 'show'), credential: {}, address: '192.0.2.1', protocol: 'hls', ...request },
      (decision) => decisions.push(decision),
    );
    return decisions;
  };
  return { gate, admit, asked, records, clock, refusedPublishers };
}

describe('HookedGate', () => {
  it('decides at once where no hook has to be asked, and keeps such apps open', () => {
    const { admit, gate, asked } = setUp([
      eventsHook('e'),
      admissionHook('p', { acts: ['publish'] }),
      admissionHook('off', { isEnabled: false }),
      admissionHook('other', { app: 'news' }),
    ]);
    expect(admit()).toEqual(['allowed']);
    expect([gate.isOpen('live'), gate.isOpen('news')]).toEqual([true, false]);
    expect(asked).toEqual([]);
  });

  it('asks what the hook has to know, and says what it said', () => {
    const { admit, asked, refusedPublishers } = setUp([admissionHook('a')]);
    const decisions = admit({ act: 'publish', protocol: 'whip', page: 'https://Example.org/some/page?x=1' });
    expect(decisions).toEqual([]);
    expect(asked[0]?.question).toEqual({
      type: 'publish',
      app: 'live',
      stream: 'live/show',
      protocol: 'whip',
      address: '192.0.2.1',
      page: 'https://example.org',
    });
    asked[0]?.answer(REFUSE);
    expect(decisions).toEqual([{ refused: 'hook-refused', because: 'not paid' }]);
    expect(refusedPublishers).toEqual(['live/show hook-refused']);
  });

  it('does not ask about somebody whom the gate before has refused', () => {
    const { admit, asked, refusedPublishers } = setUp([admissionHook('a')], { inner: { refused: 'key-wrong' } });
    expect(admit({ act: 'publish' })).toEqual([{ refused: 'key-wrong' }]);
    expect(admit()).toEqual([{ refused: 'key-wrong' }]);
    expect([asked.length, refusedPublishers]).toEqual([0, ['live/show key-wrong']]);
  });

  it('needs the consent of all hooks, and decides once', () => {
    const { admit, asked } = setUp([admissionHook('a'), admissionHook('b')]);
    const first = admit();
    expect(asked.map(({ hook }) => hook)).toEqual(['a', 'b']);
    asked[0]?.answer(ALLOW);
    expect(first).toEqual([]);
    asked[1]?.answer(ALLOW);
    expect(first).toEqual(['allowed']);
    const second = admit({ address: '192.0.2.2' });
    asked[2]?.answer({ status: 403, body: '' });
    asked[3]?.answer(REFUSE);
    expect(second).toEqual([{ refused: 'hook-refused' }]);
  });

  it.each([
    ['allow', 'allowed'],
    ['refuse', { refused: 'hook-unavailable' }],
  ] as const)('goes by what is set for a hook that is down: %s', (whenDown, decision) => {
    const { admit, asked, clock } = setUp([admissionHook('a', { whenDown })]);
    const outcomes: HookOutcome[] = [DOWN, { status: 500, body: '' }, { status: 200, body: 'yes' }, { status: 200, body: '{"allow":1}' }];
    for (const outcome of outcomes) {
      const decisions = admit();
      asked.at(-1)?.answer(outcome);
      expect(decisions).toEqual([decision]);
      clock.now += 5_000;
    }
    expect(asked).toHaveLength(outcomes.length);
  });

  it("remembers a viewer's answer as long as is set, a refusal for ten seconds and silence for five", () => {
    const { admit, asked, clock } = setUp([admissionHook('a', { cacheS: 30 })]);
    const keptFor = (outcome: HookOutcome, address: string): number => {
      const before = asked.length;
      admit({ address });
      asked.at(-1)?.answer(outcome);
      let ms = 0;
      for (; asked.length === before + 1; ms += 1_000) {
        clock.now += 1_000;
        admit({ address });
      }
      asked.at(-1)?.answer(outcome);
      return ms;
    };
    expect(keptFor(ALLOW, '192.0.2.1')).toBe(30_000);
    expect(keptFor(REFUSE, '192.0.2.2')).toBe(10_000);
    expect(keptFor(DOWN, '192.0.2.3')).toBe(5_000);
  });

  it('puts the question of one viewer once, however many requests he makes, and of others anew', () => {
    const { admit, asked } = setUp([admissionHook('a')]);
    const all = Array.from({ length: 50 }, () => admit());
    expect(asked).toHaveLength(1);
    asked[0]?.answer(ALLOW);
    expect(all.flat()).toEqual(Array.from({ length: 50 }, () => 'allowed'));
    expect(admit()).toEqual(['allowed']);
    for (const other of [
      { address: '192.0.2.9' },
      { ref: streamRef('live', 'x') },
      { page: 'https://a.org' },
      { protocol: 'whep' as const },
    ])
      admit(other);
    expect(asked).toHaveLength(5);
  });

  it('asks about publishers each time', () => {
    const { admit, asked } = setUp([admissionHook('a')]);
    admit({ act: 'publish' });
    asked[0]?.answer(ALLOW);
    admit({ act: 'publish' });
    expect(asked).toHaveLength(2);
  });

  it('asks a hook that was changed anew', () => {
    const { admit, asked, records } = setUp([admissionHook('a')]);
    admit();
    asked[0]?.answer(REFUSE);
    records.put(admissionHook('a', { changedAtMs: 2 }));
    admit();
    expect(asked).toHaveLength(2);
    records.remove('a');
    expect(admit()).toEqual(['allowed']);
  });

  it('has a bounded number of questions on their way, and counts a hook as down beyond it', () => {
    const { admit, asked } = setUp([admissionHook('a')], { limits: { askingMax: 2, waitingMax: 2 } });
    const decisions = [1, 2, 3].map((last) => admit({ address: `192.0.2.${last}` }));
    expect(decisions).toEqual([[], [], [{ refused: 'hook-unavailable' }]]);
    const waiting = [admit({ address: '192.0.2.1' }), admit({ address: '192.0.2.1' })];
    expect(waiting).toEqual([[], [{ refused: 'hook-unavailable' }]]);
    for (const { answer } of [...asked]) answer(ALLOW);
    expect([decisions[0], waiting[0]]).toEqual([['allowed'], ['allowed']]);
    // That there was no room is not remembered of anybody.
    const again = admit({ address: '192.0.2.3' });
    asked.at(-1)?.answer(ALLOW);
    expect(again).toEqual(['allowed']);
  });

  it('forgets whom it was not asked about the longest', () => {
    const { admit, asked } = setUp([admissionHook('a')], { limits: { cacheEntriesMax: 2 } });
    for (const last of [1, 2, 1, 3, 1, 2]) {
      const before = asked.length;
      admit({ address: `192.0.2.${last}` });
      if (asked.length > before) asked.at(-1)?.answer(ALLOW);
    }
    expect(asked.map(({ question }) => question.address)).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.2']);
  });

  it('lets nobody play before it knows which hooks there are', () => {
    const { admit, gate, records } = setUp([], { isRead: false });
    expect([admit(), gate.isOpen('live')]).toEqual([[{ refused: 'not-ready' }], false]);
    records.read();
    expect([admit(), gate.isOpen('live')]).toEqual([['allowed'], true]);
  });
});
