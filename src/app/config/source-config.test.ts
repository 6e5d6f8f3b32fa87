import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, problemsOf, read } from './config-text.fixture.ts';
import { printConfig } from './print-config.ts';

const DEFAULTS = { mode: 'on-demand', rtspTransport: 'tcp', lingerMs: 10_000, stallMs: 10_000 };
const sourceOf = (url: string): string => JSON.stringify({ apps: { live: { sources: { cam: { url } } } } });

describe('pull sources in the configuration', () => {
  it('are read from the file and from the environment, with names as they are spelled there', () => {
    const url = 'rtsp://camera.example/h264';
    const text = JSON.stringify({ apps: { Live: { sources: { 'Cam.1': { url }, other: { url } } } } });
    const { apps } = read(text, {
      SLUICE_APPS_LIVE_SOURCES_CAM_1_MODE: 'always',
      SLUICE_APPS_LIVE_SOURCES_NEW_CAM_URL: 'srt://camera.example:9000',
      SLUICE_APPS_EVENTS_SOURCES_DOOR_URL: url,
    });
    expect(apps['Live']?.sources).toEqual({
      'Cam.1': { ...DEFAULTS, url, mode: 'always' },
      other: { ...DEFAULTS, url },
      new_cam: { ...DEFAULTS, url: 'srt://camera.example:9000' },
    });
    expect(apps['events']?.sources).toEqual({ door: { ...DEFAULTS, url } });
  });

  it('may be files of a folder that is allowed, relative to the configuration file', () => {
    const text = JSON.stringify({
      sources: { allowedFolders: ['media'] },
      apps: { live: { sources: { loop: { url: join(folder, 'media/loop.mp4') } } } },
    });
    expect(read(text).sources.allowedFolders).toEqual([join(folder, 'media')]);
  });

  it.each([
    ['', 'missing: take rtsp'],
    ['rtsp://admin:secret@192.168.1.5/h264?key=secret', '192.168.1.5 is a private'],
    ['http://169.254.169.254/', 'sources.allowedNetworks'],
    ['http://[::1]/', '::1 is a loopback'],
    ['udp://239.1.1.1:5000', '239.1.1.1 is a multicast'],
    ['file:///etc/passwd', 'sources.allowedFolders'],
    ['/etc/passwd', 'sources.allowedFolders'],
    ['concat:a|b', 'is not usable'],
    ['gopher://secret:secret@camera.example/', 'is not allowed'],
    ['whip+https://camera.example/', 'nothing can be fetched by whip+https'],
    ['srt://camera.example', 'a port is missing'],
  ])('with the URL %j are refused, and the key is named', (url, words) => {
    const problems = problemsOf(sourceOf(url));
    expect(problems).toContain('apps.live.sources.cam.url: ');
    expect(problems).toContain(words);
    expect(problems).not.toContain('secret');
  });

  it('may reach the networks that are allowed', () => {
    const given = JSON.parse(sourceOf('rtsp://192.168.1.5/h264')) as object;
    expect(problemsOf(JSON.stringify({ ...given, sources: { allowedNetworks: ['192.168.1.0/24'] } }))).toBe('none');
    const wrong = problemsOf(JSON.stringify({ ...given, sources: { allowedNetworks: ['192.168.1.0/24', 'intranet'] } }));
    expect(wrong).toContain('sources.allowedNetworks[1]');
  });

  it('have names that are no words of the language, as apps have', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'a b', '-x']) {
      const text = `apps: { live: { sources: { ${JSON.stringify(name)}: { url: "rtsp://camera.example/" } } } }`;
      expect(problemsOf(text)).toContain(`apps.live.sources.${name}: not usable as a name`);
      expect(problemsOf(`apps: { ${JSON.stringify(name)}: { keys: [abcdefgh] } }`)).toContain(`apps.${name}: not usable as a name`);
    }
    expect(problemsOf('', { SLUICE_APPS___PROTO___PUBLISH_FROM_LOOPBACK: 'false' })).toContain('no configuration key has this name');
    expect(problemsOf('', { SLUICE_APPS_CONSTRUCTOR_SOURCES_CAM_URL: 'rtsp://camera.example/' })).toContain('no configuration key');
    expect(({} as Record<string, unknown>)['keys']).toBeUndefined();
  });

  it('are printed without their URLs', () => {
    const config = read(sourceOf('rtsp://admin:secret@camera.example/h264'));
    expect(printConfig(config)).not.toContain('secret');
  });
});
