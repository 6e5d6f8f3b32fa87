import { describe, expect, it } from 'vitest';
import { devArguments, devEnvironment, devPlan } from './dev-plan.ts';

const ports = { http: 8080, rtmp: 1935, webrtc: 0, relay: 7350 };

describe('the nodes of `sluice dev`', () => {
  it('take the next ports each, or free ones', () => {
    const plan = devPlan(ports, true);
    expect(plan.map(({ httpPort }) => httpPort)).toEqual([8080, 8081, 8082, 8083, 8084, 8085, 8086, 8087]);
    expect(new Set(plan.map(({ webrtcPort }) => webrtcPort))).toEqual(new Set([0]));
  });

  it('are founded by the first, which the others join', () => {
    const [first, second] = devPlan(ports, true);
    if (first === undefined || second === undefined) throw new Error('there are two at least');
    expect(devEnvironment(first, '/data', true)).toMatchObject({ SLUICE_CLUSTER_FOUND: 'true', SLUICE_CLUSTER_ROLES: 'manager' });
    expect(devEnvironment(first, '/data', true)).toMatchObject({ SLUICE_CLUSTER_COORDINATION: 'embedded' });
    expect(devEnvironment(second, '/data', false)).toMatchObject({ SLUICE_HTTP_PORT: '8081', SLUICE_DEMO_ENABLED: 'true' });
    expect(devEnvironment(second, '/data', false)).not.toHaveProperty('SLUICE_CLUSTER_FOUND');
    expect(devPlan(ports, false).some(({ hasDemo }) => hasDemo)).toBe(false);
    expect(devArguments(first, 'http://m', true)).toEqual(['start']);
    expect(devArguments(second, 'http://m', false)).toEqual([
      ...['join', 'http://m', '--region', 'eu', '--advertise', '127.0.0.1', '--role', 'origin'],
    ]);
  });
});
