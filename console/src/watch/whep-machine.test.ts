import { describe, expect, it } from 'vitest';
import { WHEP_LIMITS, WhepMachine, type WhepOutput } from './whep-machine.ts';

/** A viewer's connection in virtual time: records what the machine wants done. */
class Bench {
  readonly asked: string[] = [];
  now = 0;
  readonly machine: WhepMachine;
  constructor() {
    const note = (what: string) => () => void this.asked.push(what);
    const out: WhepOutput = {
      connect: note('connect'),
      lost: note('lost'),
      absent: note('absent'),
      failed: (detail) => void this.asked.push(`failed: ${detail}`),
      progressed: note('progressed'),
      stalled: note('stalled'),
    };
    this.machine = new WhepMachine(out, WHEP_LIMITS);
    this.machine.resume(0);
  }
  take(): string[] {
    return this.asked.splice(0);
  }
  wake(): void {
    const at = this.machine.wakeAt;
    if (at === undefined) throw new Error('the machine does not want to be woken');
    this.now = at;
    this.machine.tick(at);
  }
  static connected(): Bench {
    const bench = new Bench();
    bench.machine.connected(0);
    bench.take();
    return bench;
  }
}

describe('a connection by WHEP', () => {
  it('is tried twice for four seconds each, then given up', () => {
    const bench = new Bench();
    bench.wake();
    expect(bench.now).toBe(4000);
    expect(bench.take()).toEqual(['connect', 'connect']);
    bench.wake();
    expect(bench.now).toBe(8000);
    expect(bench.take()).toEqual(['failed: no connection within 4 s (is UDP blocked?)']);
    expect(bench.machine.wakeAt).toBeUndefined();
  });

  it('is tried once more when ICE fails or no answer comes', () => {
    const bench = new Bench();
    bench.machine.broken('ICE failed', 100);
    expect(bench.take()).toEqual(['connect', 'connect']);
    bench.machine.refused(0, 'the server does not answer', 200);
    expect(bench.take()).toEqual(['failed: the server does not answer']);
  });

  it('is given up at once when the server refuses it, and not at all when the stream is not there', () => {
    const refused = new Bench();
    refused.machine.refused(406, 'no usable codec', 10);
    expect(refused.take()).toEqual(['connect', 'failed: no usable codec']);
    for (const status of [404, 409]) {
      const absent = new Bench();
      absent.machine.refused(status, 'no such stream', 10);
      expect(absent.take()).toEqual(['connect', 'absent']);
    }
  });

  it('outlives a short interruption', () => {
    const bench = Bench.connected();
    bench.machine.interrupted(1000);
    bench.machine.connected(2000);
    expect(bench.machine.wakeAt).toBeUndefined();
    expect(bench.take()).toEqual([]);
  });

  it('is lost after a long one, and made again when asked', () => {
    const bench = Bench.connected();
    bench.machine.interrupted(20_000);
    bench.wake();
    expect(bench.take()).toEqual(['lost']);
    bench.machine.resume(bench.now);
    expect(bench.take()).toEqual(['connect']);
  });

  it('is given up when it is lost again soon after', () => {
    const bench = Bench.connected();
    for (let round = 0; round < 2; round++) {
      bench.machine.broken('the server ended the connection', 500);
      bench.machine.resume(500);
      bench.machine.connected(500);
    }
    expect(bench.take()).toEqual(['lost', 'connect', 'lost', 'failed: the connection was lost again']);
  });

  it('tells once when nothing comes any more, and when something comes again', () => {
    const bench = Bench.connected();
    bench.machine.received(0, 400);
    bench.machine.received(10, 500);
    expect(bench.take()).toEqual(['progressed']);
    for (const now of [1000, 1600, 2100, 2600]) bench.machine.received(10, now);
    expect(bench.take()).toEqual(['stalled']);
    bench.machine.received(11, 3000);
    expect(bench.take()).toEqual(['progressed']);
  });

  it('says nothing after it was closed', () => {
    const bench = Bench.connected();
    bench.machine.close();
    bench.machine.broken('x', 1);
    bench.machine.refused(500, 'x', 1);
    bench.machine.received(1, 1);
    bench.machine.resume(1);
    expect(bench.take()).toEqual([]);
  });
});
