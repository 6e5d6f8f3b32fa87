import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtspRedirects } from './rtsp-redirects.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const ADDRESS = '192.168.1.5';
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const refused = expect.objectContaining({ code: 'sources.refused-redirect' });
const OK = 'RTSP/1.0 200 OK\r\nCSeq: 1\r\nTransport: RTP/AVP;unicast;source=192.168.1.5;server_port=1-2\r\n\r\n';

/** Everything at once, and cut into pieces of this size. */
function receive(text: string, size: number, transport: 'tcp' | 'udp' = 'udp'): void {
  const redirects = new RtspRedirects(transport);
  const all = bytes(text);
  for (let at = 0; at < all.length; at += size) redirects.received(all.subarray(at, at + size), ADDRESS);
}

describe.each([1, 3, 16, 1000])('an RTSP server, read %i bytes at a time', (size) => {
  it('may answer as it likes, but for redirects', () => {
    const body = 'v=0\r\na=control:trackID=1\r\n';
    receive(`${OK}RTSP/1.0 401 Unauthorized\r\n\r\nRTSP/1.0 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}${OK}`, size);
  });

  it.each([
    'RTSP/1.0 302 Found\r\nLocation: rtsp://10.0.0.1/\r\n\r\n',
    'RTSP/1.0\t302 Found\r\n',
    'RTSP/1.0 0302 Found\r\n',
    'RTSP/1.0 4294967598 Found\r\n',
    'RTSP/1.0 +302 Found\r\n',
  ])('must not answer %j', (answer) => {
    expect(() => receive(`${OK}${answer}${OK}`, size)).toThrow(refused);
  });

  it.each(['source=10.0.0.1;', 'destination=192.168.1.5;', 'SOURCE="10.0.0.1"', 'source=192.168.1.55;', 'multicast;'])(
    'must not have datagrams sent elsewhere: %s',
    (place) => {
      const answer = `RTSP/1.0 200 OK\r\nTransport: RTP/AVP;unicast;${place}server_port=1-2\r\n\r\n`;
      expect(() => receive(answer, size)).toThrow(refused);
      receive(answer, size, 'tcp');
    },
  );
});

it('is not looked at once it plays', () => {
  const redirects = new RtspRedirects('tcp');
  redirects.sent(bytes('PLAY rtsp://192.168.1.5/ RTSP/1.0\r\n\r\n'));
  redirects.received(bytes('RTSP/1.0 302 Found\r\n\r\n'), ADDRESS);
});

it('throws nothing else, whatever comes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (chunks) => {
      const redirects = new RtspRedirects('udp');
      try {
        for (const chunk of chunks) redirects.received(chunk, ADDRESS);
      } catch (error) {
        expect(error).toEqual(refused);
      }
    }),
    RUNS,
  );
});
