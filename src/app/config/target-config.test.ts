import { describe, expect, it } from 'vitest';
import { problemsOf, read } from './config-text.fixture.ts';
import { printConfig } from './print-config.ts';

const withTargets = (...targets: readonly string[]): string =>
  `apps:\n  live:\n    targets:\n${targets.map((each) => `      - ${each}\n`).join('')}`;

describe('targets in the configuration', () => {
  it('need a name and a URL, and have defaults for the rest', () => {
    expect(read(withTargets('{ name: a, url: "rtmp://a.example/{app}/{name}" }')).apps['live']?.targets).toEqual([
      { name: 'a', url: 'rtmp://a.example/{app}/{name}', token: '', streams: '*', rendition: 'source' },
    ]);
    expect(problemsOf(withTargets('{ name: a }'))).toContain('apps.live.targets[0].url: missing');
  });

  it('have names of their own', () => {
    const target = '{ name: a, url: rtmp://a.example/x/y }';
    expect(problemsOf(withTargets(target, target))).toContain('apps.live.targets[1].name: "a" is the name of a target before');
    expect(problemsOf(withTargets('{ name: "a/b", url: rtmp://a.example/x/y }'))).toContain('"a/b" is not usable as a name');
  });

  it.each([
    ['{ name: a, url: "ftp://SECRET.example/x" }', 'targets[0].url: the URL of a target begins with'],
    ['{ name: a, url: "rtmp://a.example/SECRET" }', 'rtmp://HOST/APP/KEY'],
    ['{ name: a, url: "rtmp://u:SECRET@a.example/x/y" }', 'takes no user and password'],
    ['{ name: a, url: "srt://a.example:1?passphrase=SECRETSECRET&mode=listener" }', 'mode=caller'],
    ['{ name: a, url: "rtmp://a.example/x/{key}" }', 'the placeholders are {app} and {name}'],
    ['{ name: a, url: rtmp://a.example/x/y, token: SECRET }', 'only WHIP targets take a token'],
    ['{ name: a, url: rtmp://a.example/x/y, streams: "a/*" }', '"a/*" is no pattern'],
    ['{ name: a, url: rtmp://a.example/x/y, rendition: "a b" }', '"a b" is no rendition'],
  ])('that make no sense are refused by key, without their secrets: %s', (target, message) => {
    const problems = problemsOf(withTargets(target));
    expect(problems).toContain(message);
    expect(problems).not.toContain('SECRET');
  });

  it('name networks that can be read', () => {
    expect(problemsOf('targets: { allowedNetworks: [10.0.0.0/8, ten] }')).toContain('targets.allowedNetworks[1]: "ten" is no network');
  });

  it('are printed without secrets', () => {
    const printed = printConfig(read(withTargets('{ name: a, url: "https://a.example/SECRET/whip", token: SECRET }')));
    expect(printed).toContain('name: a');
    expect(printed).not.toContain('SECRET');
  });
});
