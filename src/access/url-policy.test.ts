import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInNetwork, parseIpAddress, parseIpNetwork } from './ip-network.ts';
import { UrlPolicy } from './url-policy.ts';

const policy = new UrlPolicy({ allowedNetworks: [], allowedFolders: [] });
const configured = new UrlPolicy({
  allowedNetworks: ['10.1.0.0/16', '239.0.0.0/8', '::1', '0.0.0.0'],
  allowedFolders: ['/media/', '/var/loops'],
});
const judged = (url: string, by = policy): string => {
  const verdict = by.judge(url);
  return verdict.isAllowed ? verdict.kind : verdict.code;
};

describe('a URL', () => {
  it('of the public internet is allowed with the schemes of live media', () => {
    for (const scheme of ['rtsp', 'rtsps', 'rtmp', 'rtmps', 'srt', 'http', 'https', 'udp', 'whip+http', 'whip+https', 'RTMP']) {
      expect(judged(`${scheme}://example.com:1234/live/key?x=y#z`)).toBe('network');
    }
  });

  it('says what is to be resolved and what not', () => {
    expect(policy.judge('rtmp://user:secret@Live.Example.com:1936/app')).toEqual({
      isAllowed: true,
      kind: 'network',
      scheme: 'rtmp',
      host: 'live.example.com',
      port: 1936,
      mustResolve: true,
    });
    expect(policy.judge('https://[2606:4700::1111]/x')).toEqual({
      isAllowed: true,
      kind: 'network',
      scheme: 'https',
      host: '2606:4700::1111',
      mustResolve: false,
    });
    expect(policy.judge('srt://example.com.')).toMatchObject({ host: 'example.com' });
  });

  it.each([
    ['ftp://example.com/x', 'scheme'],
    ['concat://a', 'scheme'],
    ['gopher://example.com', 'scheme'],
    ['concat:http://a|http://b', 'malformed'],
    ['subfile,,start,0,end,9,,:/etc/passwd', 'malformed'],
    ['crypto+file:///etc/passwd', 'scheme'],
    ['data:text/plain,x', 'malformed'],
    ['example.com/x', 'malformed'],
    ['', 'malformed'],
    ['http://', 'malformed'],
    ['http://exa mple.com', 'malformed'],
    ['http://example.com/\r\nHost: evil', 'malformed'],
    ['http://example.com\\@127.0.0.1/', 'malformed'],
    ['http://a@b@127.0.0.1/', 'malformed'],
    ['http://example.com:0/', 'malformed'],
    ['http://example.com:70000/', 'malformed'],
    ['http://example.com:80:90/', 'malformed'],
    ['http://127.1/', 'malformed'],
    ['http://2130706433/', 'malformed'],
    ['http://0x7f000001/', 'malformed'],
    ['http://0177.0.0.1/', 'malformed'],
    ['http://127.0.0.1./', 'malformed'],
    ['http://%31%32%37.0.0.1/', 'malformed'],
    ['http://１２７.0.0.1/', 'malformed'],
    ['http://[fe80::1%25eth0]/', 'malformed'],
    ['http://[127.0.0.1]/', 'malformed'],
    ['http://-x/', 'malformed'],
    [`http://example.com/${'x'.repeat(2100)}`, 'malformed'],
  ])('%j is refused: %s', (url, code) => {
    expect(judged(url)).toBe(code);
  });

  it.each([
    'http://127.0.0.1/',
    'http://127.8.8.8:9/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://100.100.100.200/',
    'http://169.254.169.254/latest/meta-data/',
    'http://168.63.129.16/',
    'http://224.0.0.1/',
    'udp://239.1.1.1:5000',
    'udp://@239.1.1.1:5000',
    'udp://:5000',
    'http://255.255.255.255/',
    'http://192.0.2.1/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[2002:7f00:1::]/',
    'http://[2001:0:1::1]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://[fc00::1]/',
    'http://[ff02::1]/',
    'http://user:pass@127.0.0.1/',
  ])('%s is refused for its address', (url) => {
    expect(judged(url)).toBe('address');
  });

  it('names the kind of address, and no password', () => {
    expect(policy.judge('http://169.254.169.254/')).toMatchObject({
      reason: '169.254.169.254 is a metadata address, which is not reached unless it is configured',
    });
    expect(JSON.stringify(policy.judge('ftp_://user:secret@example.com'))).not.toContain('secret');
  });

  it('reaches what is configured, and nothing near it', () => {
    expect(['rtsp://10.1.2.3/', 'udp://@239.1.1.1:5000', 'udp://:5000', 'http://[::1]/'].map((url) => judged(url, configured))).toEqual(
      Array.from({ length: 4 }, () => 'network'),
    );
    expect(judged('http://[::ffff:10.1.2.3]/', configured)).toBe('network');
    expect(['rtsp://10.2.2.3/', 'http://127.0.0.1/', 'http://[::2]/'].map((url) => judged(url, configured))).toEqual([
      'address',
      'address',
      'address',
    ]);
  });
});

describe('an address that a name resolved to', () => {
  it('is judged like one that is written', () => {
    expect(policy.judgeAddress('93.184.216.34')).toBeUndefined();
    expect(policy.judgeAddress('2606:4700::1111')).toBeUndefined();
    expect(policy.judgeAddress('::ffff:93.184.216.34')).toBeUndefined();
    expect(policy.judgeAddress('10.1.0.1')?.code).toBe('address');
    expect(configured.judgeAddress('10.1.0.1')).toBeUndefined();
    expect(policy.judgeAddress('fe80::1%eth0')?.code).toBe('malformed');
  });
});

describe('a redirect', () => {
  it('leads to HTTP alone, and is judged like any URL', () => {
    const code = (url: string): string => {
      const verdict = configured.judgeRedirect(url);
      return verdict.isAllowed ? 'allowed' : verdict.code;
    };
    expect(code('https://example.com/x')).toBe('allowed');
    expect(code('http://127.0.0.1/')).toBe('address');
    expect(code('rtmp://example.com/x')).toBe('redirect');
    expect(code('file:///media/x.mp4')).toBe('redirect');
    expect(code('/media/x.mp4')).toBe('redirect');
    expect(code('file:///etc/passwd')).toBe('path');
  });
});

describe('a file', () => {
  it('is refused unless it is under a configured folder', () => {
    expect(['/media/a.mp4', 'file:///etc/passwd'].map((url) => judged(url))).toEqual(['path', 'path']);
    expect(configured.judge('/media/./x/../a b.mp4')).toEqual({ isAllowed: true, kind: 'file', path: '/media/a b.mp4' });
    expect(configured.judge('file:///var/loops/a.ts')).toEqual({ isAllowed: true, kind: 'file', path: '/var/loops/a.ts' });
    const outside = [
      '/media/../etc/passwd',
      '/mediax/a',
      '/var/loopsx',
      'file://host/media/a',
      'file:///media/%2e%2e/x',
      'file:/media/a',
      'FILE:///etc/x',
      '/media/a\0',
    ];
    expect(outside.map((url) => judged(url, configured))).toEqual(outside.map(() => 'path'));
  });
});

describe('networks', () => {
  it('must be written rightly', () => {
    for (const text of ['10.0.0.0/33', '::/129', '10.0.0/8', 'x', '', '10.0.0.0/8/8', '10.0.0.0/-1', '1::2::3/8']) {
      expect(() => parseIpNetwork(text)).toThrow(/is no network/);
    }
  });

  it('hold the addresses that begin with their bits', () => {
    const byte = fc.nat(255);
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), fc.nat(32), fc.nat(31), (bytes, bits, flipped) => {
        const network = parseIpNetwork(`${bytes.join('.')}/${bits}`);
        const other = bytes.map((value, index) => (index === flipped >> 3 ? value ^ (0x80 >> (flipped & 7)) : value));
        expect(isInNetwork(bytes, network)).toBe(true);
        expect(isInNetwork(other, network)).toBe(flipped >= bits);
      }),
    );
  });

  it('reads every way to write an IPv6 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        expect(parseIpAddress(text)).toBeDefined();
      }),
    );
    for (const text of ['1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', ':::', '1::2::3', '12345::', 'g::', ':1:2:3:4:5:6:7']) {
      expect(parseIpAddress(text)).toBeUndefined();
    }
  });
});

describe('any text', () => {
  it('gives a verdict, and what is allowed names no address that is not (fuzz)', () => {
    const word = fc.constantFrom(
      'http',
      '://',
      ':',
      '/',
      '@',
      '[',
      ']',
      '127.0.0.1',
      '::1',
      '.',
      '%',
      '0x7f',
      '10',
      'a.b',
      '#',
      '?',
      '\\',
      'file',
      '..',
      'udp',
    );
    const text = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.array(word, { maxLength: 12 }).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(text, (url) => {
        const verdict = policy.judge(url);
        if (!verdict.isAllowed) expect(verdict.reason).not.toBe('');
        else if (verdict.kind === 'network' && !verdict.mustResolve) expect(policy.judgeAddress(verdict.host)).toBeUndefined();
        else if (verdict.kind === 'network') expect(parseIpAddress(verdict.host)).toBeUndefined();
        else throw new Error('no folder is configured');
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });

  it('is read as the platform reads it: the same host (fuzz)', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.webUrl(), fc.webUrl({ withQueryParameters: true, authoritySettings: { withUserInfo: true, withPort: true } })),
        (url) => {
          const verdict = policy.judge(url);
          if (verdict.isAllowed && verdict.kind === 'network') expect(verdict.host).toBe(new URL(url).hostname.replace(/\.$/, ''));
        },
      ),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});
