import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CpuGroup } from './cpu-group.ts';
import { LoadSampler, parseNetwork } from './load-sampler.ts';

const NETWORK = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999999 10 0 0 0 0 0 0 999999 10 0 0 0 0 0 0
  eth0: 1000 10 0 0 0 0 0 0 2000 10 0 0 0 0 0 0
docker0: 5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
 wlan0:300 10 0 0 0 0 0 0 400 10 0 0 0 0 0 0
`;

describe('the load', () => {
  it('of the network is that of the ways out', () => {
    expect(parseNetwork(NETWORK)).toEqual({ receivedBytes: 1300, sentBytes: 2400 });
    expect(parseNetwork('')).toEqual({ receivedBytes: 0, sentBytes: 0 });
  });

  it('of this machine is plausible', async () => {
    const sampler = new LoadSampler({ dataFolder: tmpdir(), networkMaxBps: 1e9, now: () => performance.now() });
    await expect
      .poll(() => {
        for (let spin = 0; spin < 1e7; spin++);
        return sampler.sample().cpu;
      })
      .toBeGreaterThan(0);
    const load = sampler.sample();
    expect(load.cpu).toBeLessThanOrEqual(1);
    expect(load.memoryBytes).toBeGreaterThan(1e6);
    expect(load.memoryMaxBytes).toBeLessThanOrEqual(totalmem());
    expect(load.memoryBytes).toBeLessThanOrEqual(load.memoryMaxBytes);
    expect(load).toMatchObject({ networkMaxBps: 1e9, diskFreeBytes: expect.any(Number) });
    expect(load.diskFreeBytes).toBeGreaterThan(0);
    for (const figure of Object.values(load)) expect(Number.isFinite(figure) && figure >= 0).toBe(true);
    sampler.close();
  });

  it('shows a blocked event loop', async () => {
    const sampler = new LoadSampler({ dataFolder: '/nowhere', networkMaxBps: 0, now: () => performance.now() });
    await expect
      .poll(async () => {
        const until = performance.now() + 90;
        // The histogram's own timer has to have had its turn before and after.
        await new Promise((resolve) => setTimeout(resolve, 25));
        while (performance.now() < until);
        await new Promise((resolve) => setTimeout(resolve, 25));
        return sampler.sample().loopLagMs;
      })
      .toBeGreaterThan(20);
    expect(sampler.sample().diskFreeBytes).toBe(0);
    sampler.close();
  });

  it('takes little time itself', () => {
    const sampler = new LoadSampler({ dataFolder: tmpdir(), networkMaxBps: 0, now: () => performance.now() });
    const times = Array.from({ length: 50 }, () => {
      const start = performance.now();
      sampler.sample();
      return performance.now() - start;
    }).sort((left, right) => left - right);
    expect(times[25]).toBeLessThan(1);
    sampler.close();
  });
});

describe('a control group', () => {
  const group = (files: Record<string, string>): { cpu: unknown; memory: unknown } => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-group-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const read = new CpuGroup(folder);
    const result = { cpu: read.cpu(), memory: read.memory() };
    rmSync(folder, { recursive: true });
    return result;
  };

  it('with limits tells what is used of them', () => {
    const files = {
      'cpu.max': '150000 100000\n',
      'cpu.stat': 'usage_usec 2000000\nuser_usec 1\n',
      'memory.max': '536870912\n',
      'memory.current': '300000000\n',
      'memory.stat': 'anon 1\ninactive_file 100000000\n',
    };
    expect(group(files)).toEqual({ cpu: { usedMs: 2000, cores: 1.5 }, memory: { usedBytes: 200_000_000, maxBytes: 536_870_912 } });
  });

  it.each<[string, Record<string, string>]>([
    ['that is not there', {}],
    ['without limits', { 'cpu.max': 'max 100000\n', 'cpu.stat': 'usage_usec 5\n', 'memory.max': 'max\n', 'memory.current': '5\n' }],
    ['of garbage', { 'cpu.max': 'x', 'cpu.stat': '', 'memory.max': '', 'memory.current': 'y' }],
  ])('%s tells nothing', (_title, files) => {
    expect(group(files)).toEqual({ cpu: undefined, memory: undefined });
  });
});
