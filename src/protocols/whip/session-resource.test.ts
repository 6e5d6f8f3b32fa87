import { beforeEach, describe, expect, it } from 'vitest';
import { parseSessionName } from './mod.ts';
import { makeEndpoint } from './whip-sessions.fixture.ts';

const CANDIDATE = 'candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1';
const SECTION = 'a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n';
const SAME = `${SECTION}a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n`;
const OTHER = `a=ice-options:trickle ice2\r\n${SECTION}a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n`;

describe.each(['whip', 'whep'] as const)('a %s session', (protocol) => {
  let made: ReturnType<typeof makeEndpoint>;
  let path: string;
  const session = () => [...made.sessions.live.values()][0];

  beforeEach(() => {
    made = makeEndpoint();
    path = made.post(protocol).headers['location'] as string;
  });

  it('takes candidates with 204, no body and no ETag', () => {
    const { status, headers, body } = made.patch(path, `${SAME}a=${CANDIDATE}\r\na=end-of-candidates\r\n`, '"local1"');
    expect({ status, body }).toEqual({ status: 204, body: '' });
    expect(headers['etag']).toBeUndefined();
    expect(session()?.heard).toEqual([CANDIDATE]);
  });

  it.each([
    ['"*"', 'the RFC example'],
    ['*', 'the RFC text'],
    ['"other", "local1"', 'a list'],
  ])('takes candidates with If-Match %s: %s', (ifMatch) => {
    expect(made.patch(path, `${SAME}a=${CANDIDATE}`, ifMatch).status).toBe(204);
  });

  it('takes candidates of a fragment that has no credentials', () => {
    expect(made.patch(path, `${SECTION}a=${CANDIDATE}\r\n`, '"local1"').status).toBe(204);
    expect(session()?.heard).toHaveLength(1);
  });

  it('answers 428 without If-Match and 412 to another ETag, and changes nothing', () => {
    expect(made.patch(path, SAME)).toMatchObject({ status: 428, code: 'whip.if-match-missing' });
    for (const stale of ['"local0"', 'W/"local1"', 'local1', '', '""', '"local1']) {
      expect(made.patch(path, `${SAME}a=${CANDIDATE}`, stale)).toMatchObject({ status: 412, code: 'whip.etag-mismatch' });
    }
    expect(made.patch(path, OTHER, '"local0"').status).toBe(412);
    expect(session()).toMatchObject({ heard: [], etag: 'local1', remoteUfrag: 'EsAw' });
  });

  it('restarts ICE for other credentials: 200 with a fragment and a new ETag', () => {
    made.patch(path, `${SAME}a=${CANDIDATE}`, '"local1"');
    const { status, headers, body } = made.patch(path, `${OTHER}a=candidate:2 1 udp 1 192.0.2.9 9 typ host\r\n`, '*');
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/trickle-ice-sdpfrag', etag: '"local2"' });
    expect(body.split('\r\n')).toEqual([
      'a=ice-lite',
      'a=ice-options:trickle ice2',
      'a=group:BUNDLE 0 1',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
      'a=ice-ufrag:srvU',
      'a=ice-pwd:serverPassword0123456789',
      'a=candidate:1 1 udp 2130706431 198.51.100.1 8189 typ host',
      'a=end-of-candidates',
      '',
    ]);
    // Candidates of the old ICE session are gone, and its ETag is outdated.
    expect(session()?.heard).toEqual(['candidate:2 1 udp 1 192.0.2.9 9 typ host']);
    expect(made.patch(path, SAME, '"local1"').status).toBe(412);
    expect(made.patch(path, OTHER, '"local2"').status).toBe(204);
    expect(made.endpoint.stats()).toMatchObject({ created: 1, restarts: 1 });
  });

  it('restarts ICE for a fragment without sections', () => {
    const { status, body } = made.patch(path, 'a=ice-ufrag:ysXw\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\n', '"*"');
    expect(status).toBe(200);
    expect(body).toContain('m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:srvU\r\n');
  });

  it('keeps the ICE session when a restart is refused', () => {
    const live = session();
    if (live !== undefined) live.refuseRestart = { refused: 'too-many-requests', retryAfterS: 3 };
    expect(made.patch(path, OTHER, '*')).toMatchObject({ status: 429, headers: { 'retry-after': '3' } });
    if (live !== undefined) live.refuseRestart = { refused: 'restart-refused' };
    expect(made.patch(path, OTHER, '*')).toMatchObject({ status: 422, code: 'whip.restart-refused' });
    expect(made.patch(path, SAME, '"local1"').status).toBe(204);
  });

  it.each([undefined, 'application/sdp', 'text/plain'])('refuses the type %j with 415', (type) => {
    const headers = { 'content-type': type, 'if-match': '*' };
    const refused = made.ask({ method: 'PATCH', path, headers, body: SAME });
    expect(refused).toMatchObject({ status: 415, headers: { 'accept-patch': 'application/trickle-ice-sdpfrag' } });
  });

  it.each([
    ['', 'whip.empty-body', 400],
    ['too-large', 'whip.body-too-large', 413],
    ['not sdp at all', 'whip.bad-fragment', 400],
    ['a=ice-ufrag:EsAw\r\n', 'whip.bad-fragment', 400],
    [`${SAME}a=candidate:broken`, 'ice.bad-candidate', 400],
  ])('refuses the fragment %j with %s', (fragment, code, status) => {
    expect(made.patch(path, fragment, '*')).toMatchObject({ status, code });
    expect(session()).toMatchObject({ heard: [], etag: 'local1' });
  });

  it('says that a fragment is malformed before it says that a condition is missing', () => {
    expect(made.patch(path, 'nonsense').status).toBe(400);
  });

  it.each([undefined, '"local1"', '"stale"', '*'])('ends by DELETE with 200, whatever If-Match says: %j', (ifMatch) => {
    expect(made.ask({ method: 'DELETE', path, headers: { 'if-match': ifMatch } })).toMatchObject({ status: 200, body: '' });
    expect(made.sessions.live.size).toBe(0);
    for (const method of ['DELETE', 'PATCH', 'GET']) {
      expect(made.ask({ method, path })).toMatchObject({ status: 404, code: 'whip.session-not-found' });
    }
  });

  it('is found under its own URL alone', () => {
    const id = path.slice(path.lastIndexOf('.') + 1);
    const other = protocol === 'whip' ? 'whep' : 'whip';
    const wrong = [
      `/live/show/${other}/n1.${id}`,
      `/live/other/${protocol}/n1.${id}`,
      `/live/show/${protocol}/n2.${id}`,
      `/live/show/${protocol}/${id}`,
    ];
    for (const guess of [...wrong, `${path}0`, `${path.slice(0, -1)}g`]) {
      expect(made.ask({ method: 'DELETE', path: guess }).status).toBe(404);
    }
    expect(made.sessions.live.size).toBe(1);
  });
});

describe('parseSessionName', () => {
  it('says which node holds a session', () => {
    const id = '0123456789abcdef'.repeat(2);
    expect(parseSessionName(`eu-west-1.node_7.${id}`)).toEqual({ nodeId: 'eu-west-1.node_7', id });
    for (const text of ['', id, `.${id}`, `n1.${id}0`, `n1.${id.slice(1)}`, `n/1.${id}`, `n1.${id.toUpperCase()}`]) {
      expect(parseSessionName(text)).toBeUndefined();
    }
  });
});
