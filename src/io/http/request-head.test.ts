import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RequestHead, readRequestHead } from './request-head.ts';

const NUM_RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const read = (text: string, from = 0, bytesMax = 16_384): RequestHead | undefined =>
  readRequestHead(Buffer.from(text, 'latin1'), from, bytesMax);

describe('readRequestHead', () => {
  it('reads what a player asks', () => {
    const text =
      'GET /live/show/source/media.m3u8?_HLS_msn=7&_HLS_part=2 HTTP/1.1\r\nHost: example.com:8080\r\nConnection: Keep-Alive\r\nUser-Agent: Mozilla/5.0 (X11)\r\nCMCD-Session: sid="s"\r\nAccept: */*\r\nIf-None-Match: "x"\r\n\r\n';
    expect(read(text)).toEqual({
      isHead: false,
      path: '/live/show/source/media.m3u8',
      query: '_HLS_msn=7&_HLS_part=2',
      userAgent: 'Mozilla/5.0 (X11)',
      cmcdSession: 'sid="s"',
      end: text.length,
    });
  });

  it('reads HEAD, no query, no agent, and begins where it is told to', () => {
    const text = 'xxHEAD /a HTTP/1.1\r\nhost:\t x \r\n\r\nGET /b';
    expect(read(text, 2)).toEqual({ isHead: true, path: '/a', query: '', userAgent: '', cmcdSession: '', end: text.length - 6 });
  });

  const head = (target: string, more = ''): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  it.each([
    ['a head of which the end is missing', head('/a').slice(0, -1)],
    ['nothing', ''],
    ['another method', head('/a').replace('GET', 'POST')],
    ['a method in lower case', head('/a').replace('GET', 'get')],
    ['HTTP/1.0', head('/a').replace('1.1', '1.0')],
    ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an absolute target', head('http://x/a')],
    ['a fragment', head('/a#b')],
    ['a blank in the target', head('/a b')],
    ['bytes above ASCII in the target', head('/\u00e4')],
    ['no Host', 'GET /a HTTP/1.1\r\n\r\n'],
    ['two Hosts', head('/a', 'Host: y\r\n')],
    ['a body', head('/a', 'Content-Length: 3\r\n')],
    ['an empty body', head('/a', 'content-length: 0\r\n')],
    ['a chunked body', head('/a', 'Transfer-Encoding: chunked\r\n')],
    ['an upgrade', head('/a', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')],
    ['a last request', head('/a', 'Connection: close\r\n')],
    ['a last request, said to a proxy', head('/a', 'Proxy-Connection: close\r\n')],
    ['connection options', head('/a', 'Connection: keep-alive, close\r\n')],
    ['Expect', head('/a', 'Expect: 100-continue\r\n')],
    ['a range', head('/a', 'Range: bytes=0-1\r\n')],
    ['a folded line', head('/a', 'A: b\r\n c\r\n')],
    ['a line that begins with a blank', head('/a', ' A: b\r\n')],
    ['a blank before the colon', head('/a', 'A : b\r\n')],
    ['a line without colon', head('/a', 'A\r\n')],
    ['a line without name', head('/a', ': b\r\n')],
    ['LF without CR', head('/a').replaceAll('\r\n', '\n')],
    ['LF without CR in a value', head('/a', 'A: b\nTransfer-Encoding: chunked\r\n')],
    ['CR without LF', head('/a', 'A: b\rContent-Length: 3\r\n')],
    ['a zero byte', head('/a', 'A: \0\r\n')],
    ['bytes above ASCII in a value', head('/a', 'A: \u00e4\r\n')],
    ['an empty line in front', `\r\n${head('/a')}`],
  ])('leaves %s to others', (_title, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('leaves a head above the limit to others', () => {
    const text = head('/a', `A: ${'a'.repeat(500)}\r\n`);
    expect(read(text, 0, text.length)).toBeDefined();
    expect(read(text, 0, text.length - 1)).toBeUndefined();
  });
});

/** A connection of which both ends are in this process. */
class Wire extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

/** The requests that node:http finds in the bytes, and `undefined` for an error. */
async function foundByNode(server: Server, bytes: Buffer): Promise<(string | undefined)[]> {
  const wire = new Wire();
  const found: (string | undefined)[] = [];
  server.on('request', (request: IncomingMessage) => {
    found.push(`${request.method} ${request.url}`);
  });
  server.on('clientError', () => found.push(undefined));
  server.emit('connection', wire);
  wire.push(bytes);
  await new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
  server.removeAllListeners('request').removeAllListeners('clientError');
  wire.destroy();
  return found;
}

describe('readRequestHead and node:http', () => {
  const piece = fc.constantFrom(
    ...[
      'GET',
      'HEAD',
      'POST',
      ' ',
      '/',
      '/a',
      '?x=1',
      '%2f',
      '#',
      'http://x',
      ' HTTP/1.1',
      ' HTTP/1.0',
      '\r\n',
      '\n',
      '\r',
      '\t',
      ':',
      '\0',
    ],
    ...['Host: x', 'Host: y', 'User-Agent: u', 'Accept: */*', 'Connection: keep-alive', 'Connection: close', 'Connection: upgrade'],
    ...['Content-Length: 0', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'Upgrade: h2c', 'Expect: 100-continue', 'TE: trailers'],
    ...[
      'Range: bytes=1-',
      'Proxy-Connection: close',
      'Keep-Alive: timeout=5',
      'A:b',
      'A :b',
      ' folded',
      '\u00e4',
      '\x7f',
      'GET /b HTTP/1.1\r\nHost: x\r\n\r\n',
    ],
  );
  const line = fc.constantFrom(
    ...['User-Agent: u', 'Accept: */*', 'Connection: keep-alive', 'A:b', 'Keep-Alive: timeout=5', 'Cookie: a=b', 'If-None-Match: *', 'A: '],
    ...['Content-Length: 0', 'Transfer-Encoding: chunked', 'Range: bytes=0-1'],
  );
  const good = fc
    .tuple(fc.constantFrom('GET', 'HEAD'), fc.constantFrom('/', '/a', '/a/b.m4s', '/a?b=c&d', '/%41?'), fc.array(line, { maxLength: 4 }))
    .map(([method, target, lines]) => [
      ...[method, ' ', target, ' HTTP/1.1', '\r\n', 'Host: x', '\r\n'],
      ...lines.flatMap((text) => [text, '\r\n']),
      '\r\n',
    ]);
  /** Requests that are nearly right: pieces replaced, put in and left out, and single bytes changed. */
  const requests = fc
    .tuple(
      good,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1), fc.option(piece, { nil: '' })), { maxLength: 2 }),
      fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 1 }),
    )
    .map(([pieces, edits, flip]) => {
      for (const [at, removed, put] of edits) pieces.splice(at % pieces.length, removed, put);
      const bytes = Buffer.from(pieces.join(''), 'latin1');
      if (flip !== null && bytes.length > 0) bytes[flip[0] % bytes.length] = flip[1];
      return bytes;
    });

  it('agree on each request that the first takes: what is asked for, and that it ends there', async () => {
    const server = createServer();
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(requests, async (bytes) => {
        const head = readRequestHead(bytes, 0, 16_384);
        if (head === undefined) return;
        taken++;
        const url = bytes.toString('latin1', bytes.indexOf(' ') + 1, bytes.indexOf(' HTTP'));
        expect(head.query === '' ? head.path : `${head.path}?${head.query}`).toBe(url.endsWith('?') ? url.slice(0, -1) : url);
        const next = Buffer.from('GET /next HTTP/1.1\r\nHost: y\r\n\r\n');
        const found = await foundByNode(server, Buffer.concat([bytes.subarray(0, head.end), next]));
        expect(found).toEqual([`${head.isHead ? 'HEAD' : 'GET'} ${url}`, 'GET /next']);
      }),
      { numRuns: NUM_RUNS },
    );
    expect(taken).toBeGreaterThan(NUM_RUNS / 20);
  });

  it('never read past the bytes or the limit', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          requests,
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        ),
        fc.nat(100),
        fc.nat(300),
        (bytes, from, max) => {
          const head = readRequestHead(bytes, from, max);
          if (head === undefined) return;
          expect(head.end).toBeLessThanOrEqual(Math.min(bytes.length, from + max));
          expect(bytes.toString('latin1', head.end - 4, head.end)).toBe('\r\n\r\n');
          expect(head.path.startsWith('/')).toBe(true);
        },
      ),
      { numRuns: NUM_RUNS },
    );
  });
});
