import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmfValue, amfObject, decodeAmf0, encodeAmf0, isAmfObject } from '../../containers/mod.ts';
import { monotonicMs } from '../../core/mod.ts';
import { ChunkReader } from './chunk-reader.ts';
import { ChunkWriter, chunkMessage } from './chunk-writer.ts';
import { defaultRtmpServerOptions, RtmpServerSession } from './server-session.ts';
import { SessionPair, testCrypto } from './session-pair.fixture.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const T0 = monotonicMs(0);

/** A server session past its handshake, spoken to in single messages. */
function opened(answer: (session: RtmpServerSession) => void = (session) => session.acceptPublish()) {
  const received: { typeId: number; timestamp: number; values: unknown[]; body: Uint8Array }[] = [];
  const events: string[] = [];
  let isOpen = false;
  const reader = new ChunkReader({
    message: (typeId, timestamp, _stream, body) =>
      received.push({ typeId, timestamp, body, values: typeId === 20 || typeId === 18 ? decodeAmf0(body) : [] }),
  });
  const session: RtmpServerSession = new RtmpServerSession(
    {
      send: (bytes) => {
        if (isOpen) reader.receive(bytes);
      },
      publishRequested: (ref, credential) => {
        events.push(`publish ${ref.path} ${JSON.stringify(credential)}`);
        answer(session);
      },
      playRequested: (ref) => {
        events.push(`play ${ref.path}`);
        session.acceptPlay();
      },
      media: (kind, timestamp, body) => events.push(`${kind} ${timestamp} ${[...body].join(',')}`),
      publishEnded: () => events.push('publishEnded'),
      playEnded: () => events.push('playEnded'),
      closed: ({ code }) => events.push(`closed ${code}`),
    },
    defaultRtmpServerOptions,
    testCrypto,
    T0,
  );
  session.receive(Uint8Array.of(3, ...new Uint8Array(1536)), T0);
  session.receive(new Uint8Array(1536), T0);
  isOpen = true;
  const writer = new ChunkWriter();
  const send = (typeId: number, body: Uint8Array, timestamp = 0): void =>
    session.receive(writer.message(3, typeId, timestamp, 1, body), T0);
  const command = (...values: readonly AmfValue[]): void => send(20, encodeAmf0(...values));
  const connect = (extra: { readonly [name: string]: AmfValue } = {}): void => command('connect', 1, amfObject({ app: 'live', ...extra }));
  const codes = (): unknown[] =>
    received.flatMap(({ values }) =>
      values
        .filter((it) => it instanceof Map)
        .map((it) => (it as Map<string, unknown>).get('code'))
        .filter((it) => it !== undefined),
    );
  return { session, send, command, connect, received, events, codes };
}

describe('RtmpServerSession with RtmpClientSession', () => {
  it.each([1, 3, 129, 1500, 100_000])('publishes over pieces of %i bytes', (pieceSize) => {
    const pair = new SessionPair({ streamKey: 'show?key=SECRET' }, pieceSize);
    pair.run();
    expect(pair.events).toEqual(['started']);
    expect(pair.requests).toMatchObject([{ ref: { path: 'live/show' }, credential: { key: 'SECRET' }, intent: 'publish' }]);
    pair.client.media('data', 0, encodeAmf0('@setDataFrame', 'onMetaData', amfObject({})));
    pair.client.media('video', 0xfffffff0, new Uint8Array(70_000));
    pair.client.media('audio', 5, new Uint8Array(100));
    pair.run();
    expect(pair.serverMedia).toEqual([
      ['data', 0, 17],
      ['video', 0xfffffff0, 70_000],
      ['audio', 5, 100],
    ]);
    pair.client.finish();
    pair.run();
    expect(pair.events).toEqual(['started', 'publishEnded']);
    expect(pair.server.state).toBe('connected');
  });

  it('plays, and tells the viewer when the stream is over', () => {
    const pair = new SessionPair({ intent: 'play' }, 7);
    pair.run();
    expect(pair.events).toEqual(['started']);
    pair.sendToClient(chunkMessage(60_000, 6, 9, 0x2000000, 1, new Uint8Array(130_000)));
    pair.run();
    // Before it, the server's |RtmpSampleAccess.
    expect(pair.clientMedia.at(-1)).toEqual(['video', 0x2000000, 130_000]);
    pair.server.endPlay('over', 'rtmp.stream-ended');
    pair.run();
    expect(pair.clientClosed?.code).toBe('rtmp.stream-ended');
  });

  it('refuses with a status that the client sees', () => {
    const pair = new SessionPair({});
    pair.answer = () => pair.server.refuse('NetStream.Publish.Denied', 'the stream key is wrong', 'rtmp.key-wrong');
    pair.run();
    expect(pair.serverClosed?.code).toBe('rtmp.key-wrong');
    expect(pair.clientClosed).toEqual({ code: 'rtmp.refused', detail: 'NetStream.Publish.Denied: the stream key is wrong' });
  });

  it('refuses names that are no stream', () => {
    const app = new SessionPair({ app: '../etc' });
    app.run();
    expect(app.serverClosed?.code).toBe('rtmp.bad-app');
    expect(app.clientClosed?.detail).toContain('NetConnection.Connect.InvalidApp');
    const name = new SessionPair({ streamKey: 'a/../b' });
    name.run();
    expect(name.serverClosed?.code).toBe('rtmp.bad-stream-name');
    expect(name.clientClosed?.detail).toContain('NetStream.Publish.BadName');
  });

  it.each([
    [{ app: 'live/', streamKey: 'show' }, 'live/show', {}],
    [{ app: 'live/_definst_', streamKey: 'show?token=a%2Fb' }, 'live/show', { token: 'a/b' }],
    [{ app: 'live?key=K', streamKey: 'show' }, 'live/show', { key: 'K' }],
    [{ app: 'live/show', streamKey: '?key=K' }, 'live/show', { key: 'K' }],
    [{ app: '', tcUrl: 'rtmp://h:1935/other?key=K', streamKey: 'show' }, 'other/show', { key: 'K' }],
  ])('reads the address %j', (target, path, credential) => {
    const pair = new SessionPair(target);
    pair.run();
    expect(pair.requests).toMatchObject([{ ref: { path }, credential }]);
    expect(pair.requests[0]?.credential).toEqual(credential);
  });
});

describe('RtmpServerSession', () => {
  it('answers connect with window, bandwidth and AMF0', () => {
    const it_ = opened();
    it_.connect({ objectEncoding: 3, fourCcList: ['hvc1'], capsEx: 7 });
    expect(it_.received.map((message) => message.typeId)).toEqual([5, 6, 20]);
    const information = it_.received.at(-1)?.values[3];
    expect(isAmfObject(information as never) && (information as Map<string, unknown>).get('objectEncoding')).toBe(0);
    expect((information as Map<string, unknown>).get('capsEx')).toBe(7);
    expect((information as Map<string, unknown>).get('fourCcList')).toContain('hvc1');
  });

  it('takes AMF3 commands and aggregates, and drops media before it accepted', () => {
    const it_ = opened();
    it_.send(9, Uint8Array.of(1));
    it_.send(17, Uint8Array.of(0, ...encodeAmf0('connect', 1, amfObject({ app: 'live' }))));
    it_.command('createStream', 2, null);
    it_.command('publish', 3, null, 'show', 'live');
    const aggregate = [9, 0, 0, 1, 0, 0, 100, 0, 0, 0, 0, 0xa, 0, 0, 0, 12, 8, 0, 0, 1, 0, 0, 120, 0, 0, 0, 0, 0xb, 0, 0, 0, 12];
    it_.send(22, Uint8Array.from(aggregate), 5000);
    expect(it_.events).toEqual(['publish live/show {}', 'video 5000 10', 'audio 5020 11']);
  });

  it('answers pings, and acknowledges by the window of the peer', () => {
    const it_ = opened();
    it_.send(4, Uint8Array.of(0, 6, 1, 2, 3, 4));
    expect(it_.received.at(-1)?.body).toEqual(Uint8Array.of(0, 7, 1, 2, 3, 4));
    it_.send(5, Uint8Array.of(0, 0, 8, 0));
    const last = it_.received.at(-1);
    expect(last?.typeId).toBe(3);
    const acknowledged = new DataView(last!.body.buffer, last!.body.byteOffset).getUint32(0);
    expect(acknowledged).toBe(it_.session.bytesReceived);
  });

  it('pings a silent peer and closes it when it stays silent', () => {
    const it_ = opened();
    it_.connect();
    it_.command('publish', 3, null, 'show', 'live');
    expect(it_.session.wakeAt).toBe(15_000);
    it_.session.tick(monotonicMs(15_000));
    expect([...it_.received.at(-1)!.body.subarray(0, 2)]).toEqual([0, 6]);
    it_.session.tick(monotonicMs(30_000));
    expect(it_.events.at(-1)).toBe('closed rtmp.idle-timeout');
    expect(it_.session.wakeAt).toBeUndefined();
  });

  it('closes whoever neither publishes nor plays in time', () => {
    const it_ = opened();
    it_.connect();
    it_.session.tick(monotonicMs(10_000));
    expect(it_.events).toEqual(['closed rtmp.setup-timeout']);
  });

  it('asks a publisher that knows reconnect requests to go on elsewhere, and goes on until it has', () => {
    const it_ = opened();
    it_.connect({ capsEx: 1 });
    it_.command('publish', 3, null, 'show', 'live');
    expect(it_.session.canReconnect).toBe(true);
    expect(it_.session.requestReconnect('rtmp://o2:1935/live', 'this node is to end')).toBe(true);
    const [name, , , information] = it_.received.at(-1)?.values ?? [];
    expect(name).toBe('onStatus');
    expect(Object.fromEntries(information as unknown as Map<string, unknown>)).toEqual({
      level: 'status',
      code: 'NetConnection.Connect.ReconnectRequest',
      tcUrl: 'rtmp://o2:1935/live',
      description: 'this node is to end',
    });
    it_.send(9, Uint8Array.of(1), 40);
    expect(it_.events.at(-1)).toBe('video 40 1');
  });

  it('asks nobody to reconnect who does not know it', () => {
    const it_ = opened();
    it_.connect({ capsEx: 6 });
    it_.command('publish', 3, null, 'show', 'live');
    const before = it_.received.length;
    expect(it_.session.requestReconnect('rtmp://o2:1935/live', 'this node is to end')).toBe(false);
    expect(it_.received.length).toBe(before);
  });

  it('sends away whom another node is to have: at once by a refusal, or by a request that the refusal follows only late', () => {
    const away = (capsEx: number): ReturnType<typeof opened> => {
      const it_ = opened((session) =>
        session.sendAway('rtmp://o1/live', 'NetStream.Publish.Denied', 'go to rtmp://o1/live', 'rtmp.other-node'),
      );
      it_.connect({ capsEx });
      it_.command('publish', 3, null, 'show', 'live');
      return it_;
    };
    const old = away(0);
    expect(old.codes().at(-1)).toBe('NetStream.Publish.Denied');
    expect(old.events.at(-1)).toBe('closed rtmp.other-node');
    const capable = away(1);
    expect(capable.codes().at(-1)).toBe('NetConnection.Connect.ReconnectRequest');
    expect(capable.events.at(-1)).toBe('publish live/show {}');
    capable.session.tick(monotonicMs(10_000));
    expect(capable.codes().at(-1)).toBe('NetStream.Publish.Denied');
    expect(capable.events.at(-1)).toBe('closed rtmp.other-node');
  });

  it('tells a publisher that was replaced', () => {
    const it_ = opened();
    it_.connect();
    it_.command('publish', 3, null, 'show', 'live');
    it_.session.unpublish('another publisher took the stream over', 'rtmp.taken-over');
    expect(it_.codes()).toContain('NetStream.Unpublish.Success');
    expect(it_.events.at(-1)).toBe('closed rtmp.taken-over');
  });

  it('limits messages before a publication is accepted', () => {
    const it_ = opened();
    it_.send(20, new Uint8Array(65_537));
    expect(it_.events).toEqual(['closed rtmp.message-too-long']);
  });

  it('answers arbitrary bytes and mutated dialogues with nothing but a coded close', () => {
    const dialogue = [
      new ChunkWriter().message(2, 1, 0, 0, Uint8Array.of(0, 0, 1, 0)),
      chunkMessage(256, 3, 20, 0, 0, encodeAmf0('connect', 1, amfObject({ app: 'live', tcUrl: 'rtmp://h/live', capsEx: 1 }))),
      chunkMessage(256, 3, 20, 0, 0, encodeAmf0('createStream', 2, null)),
      chunkMessage(256, 3, 20, 0, 1, encodeAmf0('publish', 3, null, 'show?key=a', 'live')),
      chunkMessage(256, 6, 9, 0, 1, new Uint8Array(600)),
      chunkMessage(256, 3, 20, 0, 1, encodeAmf0('deleteStream', 0, null, 1)),
      chunkMessage(256, 3, 20, 0, 1, encodeAmf0('play', 3, null, 'show')),
    ].flatMap((bytes) => [...bytes]);
    const changes = fc.array(fc.tuple(fc.nat(dialogue.length - 1), fc.nat(255)), { maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 2000 }), (edits, tail, pieceSize) => {
        const it_ = opened();
        const bytes = Uint8Array.from([...dialogue, ...tail]);
        for (const [at, value] of edits) bytes[at] = value;
        for (let at = 0; at < bytes.length; at += pieceSize) it_.session.receive(bytes.subarray(at, at + pieceSize), T0);
        expect(it_.events.filter((event) => event.startsWith('closed')).length).toBeLessThanOrEqual(1);
      }),
      { numRuns },
    );
  });
});
