import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, problemsOf, read } from './config-text.fixture.ts';
import { printConfig } from './print-config.ts';

const joining = (rest: string): string => `cluster: { join: { url: "https://m.example:8080", ${rest} } }\n`;

describe('a cluster in the configuration', () => {
  it('is one to join: with a token, or a file that has it, which are never shown', () => {
    const config = read(joining('token: clt_SECRET'), {
      SLUICE_CLUSTER_NATS_PASSWORD: 'SECRET',
      SLUICE_WEBRTC_ICE_SERVERS: 'turn:u:SECRET@h:1',
    });
    expect(config.cluster.join).toEqual({ url: 'https://m.example:8080', token: 'clt_SECRET', tokenFile: '', caFile: '', insecure: false });
    const printed = printConfig(config);
    expect(printed).not.toContain('SECRET');
    expect(read(printed).cluster).toMatchObject({ join: { token: '********' }, nats: { password: '********' } });
    expect(read(joining('tokenFile: t, caFile: /ca.pem')).cluster.join).toMatchObject({ tokenFile: join(folder, 't'), caFile: '/ca.pem' });
    expect(problemsOf(joining('token: [SECRET]'))).not.toContain('SECRET');
  });

  it('is founded or joined, by an address and with one token', () => {
    expect(problemsOf(joining('token: a, tokenFile: b'))).toContain('cluster.join.tokenFile: the token is given twice');
    expect(problemsOf('cluster: { found: true, join: { url: "http://m:1" } }')).toContain('cluster.join.url: a node founds a cluster');
    expect(problemsOf('cluster: { join: { url: m.example } }')).toContain('"m.example" is no address of a manager: give https://HOST:PORT');
  });

  it('has roles as a list, in a variable with commas or as JSON', () => {
    for (const text of ['origin,edge', ' origin , edge ', '["origin", "edge"]'])
      expect(read('', { SLUICE_CLUSTER_ROLES: text }).cluster.roles).toEqual(['origin', 'edge']);
    const taken = 'it takes a list of at most 4 of mono, manager, origin, edge, transcode (default [])';
    expect(problemsOf('', { SLUICE_CLUSTER_ROLES: 'origin,egde' })).toContain(taken);
    expect(problemsOf('', { SLUICE_CLUSTER_ROLES: '["origin"' })).toContain(taken);
    expect(read('', { SLUICE_APPS_LIVE_KEYS: '["with,a comma", "another one"]' }).apps['live']?.keys).toEqual([
      'with,a comma',
      'another one',
    ]);
  });

  it('counts nodes as stale within bounds', () => {
    expect(read('').cluster.staleMs).toBe(6000);
    expect(problemsOf('cluster: { staleMs: 100 }')).toContain('100 is not right: it takes a whole number from 3000 to 60000');
  });
});
