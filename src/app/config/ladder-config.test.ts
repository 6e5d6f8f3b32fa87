import { describe, expect, it } from 'vitest';
import type { LadderConfig } from './config.ts';
import { problemsOf, read } from './config-text.fixture.ts';
import { printConfig } from './print-config.ts';

/** The file's lines from 4 on are the ladder's. */
const inLadder = (text: string): string => `apps:\n  live:\n    ladder:\n${text.replaceAll(/^/gm, '      ')}\n`;
const ladderOf = (text: string, environment: Record<string, string> = {}): LadderConfig | undefined =>
  read(inLadder(text), environment).apps['live']?.ladder;

const rung = {
  codec: 'h264',
  height: 0,
  frameRateMax: 0,
  bitrateBps: 0,
  preset: 'veryfast',
  encoder: 'auto',
  channels: 0,
};
const VARIABLE = 'SLUICE_APPS_LIVE_LADDER_RUNGS';

const CUSTOM = `template: custom
lingerMs: 5000
rungs:
  - name: hd
    height: 720
    bitrateBps: 3000000
  - {name: opus, codec: opus}
  - name: small
    height: 240
    codec: vp9
    frameRateMax: 15`;

describe('a ladder', () => {
  it('is that of WebRTC without any configuration', () => {
    expect(read('').apps['live']?.ladder).toEqual({ template: 'webrtc', rungs: [], always: false, lingerMs: 10_000 });
    expect(read('').transcode).toEqual({ enabled: true, tasksMax: 0, encoder: 'auto' });
  });

  it('has rungs of its own, with defaults for what they do not say', () => {
    expect(ladderOf(CUSTOM)).toEqual({
      template: 'custom',
      always: false,
      lingerMs: 5000,
      rungs: [
        { ...rung, name: 'hd', height: 720, bitrateBps: 3_000_000 },
        { ...rung, name: 'opus', codec: 'opus' },
        { ...rung, name: 'small', height: 240, codec: 'vp9', frameRateMax: 15 },
      ],
    });
  });

  it('prints what can be read again', () => {
    const config = read(inLadder(CUSTOM));
    expect(read(printConfig(config))).toMatchObject({ apps: { live: { ladder: config.apps['live']?.ladder } } });
  });

  it('takes rungs as JSON from the environment, instead of all rungs of the file', () => {
    expect(ladderOf(CUSTOM, { [VARIABLE]: '[{"name": "one", "height": 480}]' })?.rungs).toEqual([{ ...rung, name: 'one', height: 480 }]);
    expect(
      read('', { [VARIABLE]: '[{"name": "one"}]', SLUICE_APPS_LIVE_LADDER_TEMPLATE: 'custom' }).apps['live']?.ladder.rungs,
    ).toHaveLength(1);
  });

  it('of one app says nothing about another', () => {
    const config = read('apps: {a: {ladder: {template: custom, rungs: [{name: x}]}}, b: {ladder: {template: abr}}}');
    expect(config.apps['a']?.ladder.rungs).toHaveLength(1);
    expect(config.apps['b']?.ladder).toMatchObject({ template: 'abr', rungs: [] });
  });
});

const wrong: [title: string, text: string, message: string][] = [
  [
    'height too large',
    'template: custom\nrungs:\n  - name: a\n  - name: b\n    height: 9000',
    'sluice.yaml:8: apps.live.ladder.rungs[1].height: 9000 is not right: it takes a whole number from 0 to 4320 (default 0)',
  ],
  [
    'odd height',
    'template: custom\nrungs:\n  - name: a\n    height: 481',
    'sluice.yaml:7: apps.live.ladder.rungs[0].height: 481 is not right: encoders take even heights, 480 or 482',
  ],
  [
    'no name',
    'template: custom\nrungs:\n  - name: a\n  - height: 720',
    'sluice.yaml:7: apps.live.ladder.rungs[1].name: missing: it takes a text of 1 to 64 characters',
  ],
  ['empty item', 'template: custom\nrungs:\n  -\n', 'apps.live.ladder.rungs[0].name: missing'],
  [
    'unknown key',
    'rungs:\n  - name: a\n    heigth: 720',
    'sluice.yaml:6: apps.live.ladder.rungs[0].heigth: unknown key; did you mean apps.live.ladder.rungs[0].height?',
  ],
  ['text for a rung', 'rungs: [720p]', 'sluice.yaml:4: apps.live.ladder.rungs[0]: "720p" is not right here: it takes a group of keys'],
  ['group for the list', 'rungs: {name: a}', 'apps.live.ladder.rungs: '],
  ['nothing for the list', 'rungs:', 'apps.live.ladder.rungs: nothing is not right: it takes a list of at most 12 groups of keys'],
  [
    'too many',
    `rungs: [${Array.from({ length: 13 }, (_, index) => `{name: r${index}}`).join(', ')}]`,
    'a list of 13 is not right: it takes a list of at most 12 groups of keys',
  ],
  ['name twice', 'template: custom\nrungs: [{name: a}, {name: a}]', 'apps.live.ladder.rungs[1].name: "a" is the name of a rung before'],
  ['name of the source', 'template: custom\nrungs: [{name: source}]', 'apps.live.ladder.rungs[0].name: "source" has a meaning of its own'],
  ['name that is no name', 'template: custom\nrungs: [{name: a/b}]', 'apps.live.ladder.rungs[0].name: "a/b" is not usable as a name'],
  [
    'codec that is none',
    'template: custom\nrungs: [{name: a, codec: x264}]',
    'apps.live.ladder.rungs[0].codec: "x264" is not right: it takes one of h264, vp8',
  ],
  [
    'sound with a height',
    'template: custom\nrungs: [{name: a, codec: opus, height: 720}]',
    'apps.live.ladder.rungs[0].height: a rung of sound (codec opus) has no height',
  ],
  [
    'sound with a frame rate',
    'template: custom\nrungs: [{name: a, codec: aac, frameRateMax: 30}]',
    'rungs[0].frameRateMax: a rung of sound',
  ],
  [
    'pictures with channels',
    'template: custom\nrungs: [{name: a, channels: 2}]',
    "rungs[0].channels: a rung of pictures (codec h264) has the source's sound",
  ],
  ['no rungs', 'template: custom', 'sluice.yaml:4: apps.live.ladder.template: "custom" makes the rungs in apps.live.ladder.rungs'],
  ['rungs of another template', 'rungs: [{name: a}]', 'sluice.yaml:4: apps.live.ladder.rungs: these are for the template "custom" alone'],
];

const rungsWith = (text: string): string => `template: custom\nrungs: [{name: a, ${text}}]`;

describe('an encoder', () => {
  it.each([
    [inLadder(rungsWith('codec: vp9, encoder: libx264')), 'apps.live.ladder.rungs[0].encoder: "libx264" does not make vp9'],
    [
      inLadder(rungsWith('codec: opus, encoder: libopus')),
      'apps.live.ladder.rungs[0].encoder: a rung of sound (codec opus) takes no encoder',
    ],
    ['transcode: {encoder: x264}', 'sluice.yaml:1: transcode.encoder: "x264" is no encoder'],
    [inLadder(rungsWith('encoder: h264_vaapi')), 'none'],
    ['transcode: {encoder: software}', 'none'],
  ])('%j', (text, message) => {
    expect(problemsOf(text)).toContain(message);
  });
});

describe('a wrong ladder', () => {
  it.each(wrong)('%s', (_title, text, message) => {
    expect(problemsOf(inLadder(text))).toContain(message);
  });

  it.each([
    ['[{"name": "a", "height": 9000}]', `environment variable ${VARIABLE}: apps.live.ladder.rungs[0].height: 9000 is not right`],
    [
      '720p,480p',
      `environment variable ${VARIABLE}: apps.live.ladder.rungs: "720p,480p" is not right: it takes a list of at most 12 groups of keys`,
    ],
    ['', `environment variable ${VARIABLE}: apps.live.ladder.rungs: nothing is not right`],
    ['[{', `environment variable ${VARIABLE}: apps.live.ladder.rungs: not readable as YAML`],
  ])('in the environment: %s', (text, message) => {
    expect(problemsOf('', { [VARIABLE]: text })).toContain(message);
  });

  it('in a variable for one rung alone', () => {
    expect(problemsOf('', { [`${VARIABLE}_NAME`]: 'a' })).toContain('no configuration key has this name');
  });
});
