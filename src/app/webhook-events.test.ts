import { describe, expect, it } from 'vitest';
import { streamRef } from '../core/mod.ts';
import type { LiveStream } from '../hub/mod.ts';
import type { HookEvent } from '../io/mod.ts';
import { WebhookEvents } from './webhook-events.ts';

function setUp({ tellsOfCluster = true } = {}) {
  const published: HookEvent[] = [];
  const at = { isStarting: false };
  const events = new WebhookEvents({
    publish: (event) => published.push(event),
    tellsOfCluster: () => tellsOfCluster,
    isStarting: () => at.isStarting,
  });
  return { events, published, at, types: () => published.map(({ type, stream }) => `${type} ${stream ?? ''}`.trim()) };
}

/** As much of a stream as is looked at. */
const stream = (state: LiveStream['state'], protocol = 'rtmp', name = 'show'): LiveStream =>
  ({
    ref: streamRef('live', name),
    state,
    publisher: { protocol, address: '192.0.2.1', agent: '' },
    startedWallMs: 0,
  }) as unknown as LiveStream;

describe('WebhookEvents', () => {
  it('tells of the life of a stream that is published here, once each', () => {
    const { events, types, published } = setUp();
    events.streamStarted(stream('live'));
    events.streamChanged(stream('live'));
    events.streamChanged(stream('held'));
    events.streamChanged(stream('held'));
    events.streamChanged(stream('live'));
    events.streamEnded(streamRef('live', 'show'));
    events.streamEnded(streamRef('live', 'show'));
    expect(types()).toEqual(['stream.started live/show', 'stream.held live/show', 'stream.resumed live/show', 'stream.ended live/show']);
    expect(published[0]).toMatchObject({
      app: 'live',
      lane: 'live/show',
      data: { protocol: 'rtmp', startedAt: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('leaves a stream of another node to that node, until its origin is here', () => {
    const { events, types } = setUp();
    events.streamStarted(stream('live', 'relay'));
    events.streamChanged(stream('held', 'relay'));
    expect(types()).toEqual([]);
    events.streamChanged(stream('live', 'rtmp'));
    expect(types()).toEqual(['stream.resumed live/show']);
    events.streamChanged(stream('live', 'relay'));
    events.streamEnded(streamRef('live', 'show'));
    expect(types()).toHaveLength(1);
  });

  it('says that its streams are over when there is nobody to go on with them', () => {
    const { events, types } = setUp();
    events.streamStarted(stream('live'));
    events.streamStarted(stream('live', 'relay', 'other'));
    events.endAll();
    expect(types()).toEqual(['stream.started live/show', 'stream.ended live/show']);
  });

  it('tells of sources and targets by their stream', () => {
    const { events, published } = setUp();
    events.happened({ type: 'source.changed', data: { name: 'live/cam', state: 'running' } });
    events.happened({ type: 'target.changed', data: { name: 'live/show/tv', state: 'retrying' } });
    events.happened({ type: 'transcoding.changed', data: { name: 'live/show/720p', state: 'running' } });
    expect(published).toEqual([
      { type: 'source.changed', app: 'live', stream: 'live/cam', lane: 'live/cam', data: { state: 'running' } },
      { type: 'target.changed', app: 'live', stream: 'live/show', lane: 'live/show', data: { state: 'retrying', target: 'tv' } },
    ]);
  });

  it('tells of recordings by their stream', () => {
    const { events, published } = setUp();
    const data = { path: 'live/show', node: 'n1', recording: 'ID', reason: 'length' };
    for (const type of ['recording.started', 'recording.ended', 'recording.failed', 'recording.changed'] as const)
      events.happened({ type, data });
    expect(published).toEqual(
      ['recording.started', 'recording.ended', 'recording.failed'].map((type) => ({
        type,
        app: 'live',
        stream: 'live/show',
        lane: 'live/show',
        data: { node: 'n1', recording: 'ID', reason: 'length' },
      })),
    );
  });

  it('tells of nodes what is new, and only if it is the one that tells', () => {
    const heard = (events: WebhookEvents, at: { isStarting: boolean }): void => {
      const changed = (node: string, status: string, stale = false): void =>
        events.happened({ type: 'node.changed', data: { node, status, stale } });
      at.isStarting = true;
      changed('a', 'active');
      at.isStarting = false;
      changed('a', 'active');
      changed('b', 'active');
      changed('b', 'active', true);
      events.happened({ type: 'node.gone', data: { node: 'b' } });
      events.happened({ type: 'node.gone', data: { node: 'b' } });
    };
    const teller = setUp();
    heard(teller.events, teller.at);
    expect(teller.published).toEqual([
      { type: 'node.changed', lane: 'b', data: { node: 'b', status: 'active', stale: false } },
      { type: 'node.changed', lane: 'b', data: { node: 'b', status: 'active', stale: true } },
      { type: 'node.gone', lane: 'b', data: { node: 'b' } },
    ]);
    const other = setUp({ tellsOfCluster: false });
    heard(other.events, other.at);
    expect(other.published).toEqual([]);
  });
});
