import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../core/mod.ts';
import { folder, problemsOf, read } from './config-text.fixture.ts';
import { loadConfig } from './load-config.ts';
import { printConfig } from './print-config.ts';

const ladder = { template: 'webrtc', rungs: [], always: false, lingerMs: 10_000 };
const limits = { streams: -1, viewers: -1, bitrateInBps: -1, bitrateOutBps: -1, transcodeMinutes: -1, recordingMinutes: -1 };
const recording = { mode: 'off', fileMinutes: 60, keepDays: 0 };
/** What an app has without being asked. */
const rest = { limits, recording, ladder, targets: [], sources: {} };

describe('configuration', () => {
  it('needs no file and no variable', () => {
    const config = loadConfig({ file: undefined, environment: {}, folder });
    expect(config.http.port).toBe(8080);
    expect(config.rtmp.port).toBe(1935);
    expect(config.hub.holdMs).toBe(10_000);
    expect(config.apps).toEqual({ live: { keys: [], publishFromLoopback: true, secondPublisher: 'reject', ...rest } });
    expect(config.dataFolder).toBe(join(folder, 'data'));
  });

  it('takes an empty file for no file', () => {
    expect(read('').http.port).toBe(8080);
    expect(read('# nothing\nhttp:\nlog:\n').http.port).toBe(8080);
  });

  it('lets the environment win over the file, and the file over the defaults', () => {
    const config = read('http:\n  port: 9000\n  host: 127.0.0.1\n', {
      SLUICE_HTTP_PORT: '9100',
      SLUICE_HTTP_TLS_CERT_FILE: '',
      OTHER: 'x',
    });
    expect(config.http.port).toBe(9100);
    expect(config.http.host).toBe('127.0.0.1');
  });

  it("takes relative paths from the file's folder", () => {
    const config = read('dataFolder: keep\nhttp: {tls: {certFile: c.pem, keyFile: /k.pem}}\n');
    expect(config.dataFolder).toBe(join(folder, 'keep'));
    expect(config.http.tls).toMatchObject({ certFile: join(folder, 'c.pem'), keyFile: '/k.pem' });
  });

  it('knows apps by name, from the file and from the environment', () => {
    const config = read('apps:\n  My-Show:\n    secondPublisher: takeover\n  bare:\n', {
      SLUICE_APPS_MY_SHOW_KEYS: 'first-key-1, second-key-2',
      SLUICE_APPS_NEWS_PUBLISH_FROM_LOOPBACK: 'false',
    });
    expect(config.apps).toEqual({
      'My-Show': { keys: ['first-key-1', 'second-key-2'], publishFromLoopback: true, secondPublisher: 'takeover', ...rest },
      bare: { keys: [], publishFromLoopback: true, secondPublisher: 'reject', ...rest },
      news: { keys: [], publishFromLoopback: false, secondPublisher: 'reject', ...rest },
    });
  });

  it('prints what can be read again, without keys', () => {
    const config = read('apps: {live: {keys: [very-secret-1]}}\n');
    const printed = printConfig(config);
    expect(printed).not.toContain('very-secret-1');
    expect(read(printed)).toEqual({ ...config, apps: { live: { ...config.apps['live'], keys: ['********'] } } });
  });

  it('tells every problem, not just the first', () => {
    expect(problemsOf('htp: {}\nlog:\n  level: loud\n', { SLUICE_HTTP_PORT: 'many' }).split('\n')).toHaveLength(3);
  });

  it('names a file that is not there', () => {
    expect(() => loadConfig({ file: 'none.yaml', environment: {}, folder })).toThrow(
      /none\.yaml: the configuration file cannot be read: no such file/,
    );
    expect(() => loadConfig({ file: undefined, environment: { SLUICE_CONFIG: 'none.yaml' }, folder })).toThrow(/no such file/);
  });
});

const wrong: [title: string, text: string, environment: Record<string, string>, message: string][] = [
  ['unknown key', 'http:\n  prot: 80\n', {}, 'sluice.yaml:2: http.prot: unknown key; did you mean http.port?'],
  ['unknown group', 'htttp: {}\n', {}, 'sluice.yaml:1: htttp: unknown key; did you mean http?'],
  ['key like nothing', 'log:\n  zzzzzzzz: 1\n', {}, 'sluice.yaml:2: log.zzzzzzzz: unknown key; log takes level, format'],
  ['key of an object prototype', 'constructor: 1\n', {}, 'constructor: unknown key; the file takes'],
  [
    'too large',
    '\n\nhttp:\n  port: 70000\n',
    {},
    'sluice.yaml:4: http.port: 70000 is not right: it takes a whole number from 0 to 65535 (default 8080)',
  ],
  ['text for a number', 'http: {port: "80a"}\n', {}, 'http.port: "80a" is not right: it takes a whole number'],
  ['nothing for a number', 'http:\n  port:\n', {}, 'sluice.yaml:2: http.port: nothing is not right'],
  ['number for a flag', 'rtmp: {enabled: 1}\n', {}, 'rtmp.enabled: 1 is not right: it takes true or false (default true)'],
  [
    'word not of the choice',
    'log: {level: loud}\n',
    {},
    'log.level: "loud" is not right: it takes one of trace, debug, info, warn, error, fatal, silent (default "info")',
  ],
  ['value for a group', 'http: 8080\n', {}, 'sluice.yaml:1: http: 8080 is not right here: it takes a group of keys'],
  ['list for the file', '- a\n', {}, 'it takes a group of keys'],
  ['short key', 'apps: {live: {keys: [abc]}}\n', {}, 'apps.live.keys: what is given is not right: it takes a list'],
  ['app name', 'apps: {"a/b": {}}\n', {}, 'apps.a/b: not usable as a name'],
  ['reserved app', 'apps: {watch: {}}\n', {}, 'apps.watch: this name is a reserved word'],
  ['not YAML', 'http: [\n', {}, 'not readable as YAML'],
  ['key twice', 'demo: {}\ndemo: {}\n', {}, 'sluice.yaml:2: not readable as YAML'],
  ['half of TLS', 'http: {tls: {certFile: c.pem}}\n', {}, 'http.tls.certFile: TLS needs both files: set http.tls.keyFile too'],
  [
    'parts longer than segments',
    'hls: {partMs: 1500}\n',
    {},
    'hls.partMs: 1500 is not right: a segment (hls.segmentMs, 2000) must hold at least two parts',
  ],
  ['same port twice', 'rtmp: {port: 8080}\n', {}, 'rtmp.port: 8080 is http.port too'],
  [
    'unknown variable',
    '',
    { SLUICE_HTTP_PROT: '1' },
    'environment variable SLUICE_HTTP_PROT: no configuration key has this name; did you mean SLUICE_HTTP_PORT?',
  ],
  ['wrong variable', '', { SLUICE_HTTP_PORT: '1e3' }, 'environment variable SLUICE_HTTP_PORT: http.port: "1e3" is not right'],
];

describe('a wrong configuration', () => {
  it.each(wrong)('%s', (_title, text, environment, message) => {
    expect(problemsOf(text, environment)).toContain(message);
  });

  it('of any shape gives ConfigError and nothing else (fuzz)', () => {
    const word = fc.constantFrom(
      'http',
      'port',
      'apps',
      'live',
      'keys',
      ': ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '!!x',
      '"',
      '1',
      'null',
      '- ',
      'ladder',
      'rungs',
      'name',
      '{name: a}, ',
    );
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.array(word, { maxLength: 60 }).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        try {
          read(source);
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
        }
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});
