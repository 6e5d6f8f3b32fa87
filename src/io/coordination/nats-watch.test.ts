import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { afterEach, describe, expect, it } from 'vitest';
import type { NatsBucket } from './nats-bucket.ts';
import { NatsWatch } from './nats-watch.ts';

const watches: NatsWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.end();
});

/** A consumer as JetStream makes it, and what comes from it. What real servers do to a watch is in the contract and in the tests of faults. */
class Consumer {
  readonly told: string[] = [];
  private callback: (error: Error | null, message: Msg) => void = () => undefined;
  private sequence = 0;

  /** `latest`: the revision of what was written last under the prefix; `pending`: how much JetStream says that there is. */
  constructor(latest: number, pending: number) {
    const bucket = {
      inboxPrefix: 'inbox',
      stream: 'KV',
      connection: {
        isClosed: () => false,
        publish: () => undefined,
        subscribe: (_inbox: string, { callback }: { callback: (error: Error | null, message: Msg) => void }) => {
          this.callback = callback;
          return { unsubscribe: () => undefined };
        },
      },
      manager: {
        consumers: {
          add: () => Promise.resolve({ name: 'one', num_pending: pending }),
          delete: () => Promise.resolve(true),
        },
      },
      subject: (prefix: string) => `${prefix}>`,
      key: (subject: string) => subject,
      latest: () => Promise.resolve({ revision: latest }),
    };
    const watch = new NatsWatch(bucket as unknown as NatsBucket, 'streams/', {
      record: ({ key, revision }) => this.told.push(`${key} ${revision}`),
      current: () => this.told.push('current'),
      broken: () => this.told.push('broken'),
    });
    watches.push(watch);
  }

  sends(key: string, revision: number, pending: number): void {
    this.sequence += 1;
    this.comes(key, `$JS.ACK.KV.one.1.${revision}.${this.sequence}.1700000000000000000.${pending}`, undefined);
  }

  /** An idle heartbeat: nothing was sent for a while. */
  rests(lastRevision: number, { sent = this.sequence, isStalled = false } = {}): void {
    const control = headers(100, 'Idle Heartbeat');
    control.set('Nats-Last-Consumer', String(sent));
    control.set('Nats-Last-Stream', String(lastRevision));
    if (isStalled) control.set('Nats-Consumer-Stalled', 'inbox.stalled');
    this.comes('inbox', '', control);
  }

  private comes(subject: string, reply: string, control: MsgHdrs | undefined): void {
    const message = { subject, reply, headers: control, data: new Uint8Array(0), respond: () => true };
    this.callback(null, message as unknown as Msg);
  }
}

const begun = async (latest: number, pending: number): Promise<Consumer> => {
  const consumer = new Consumer(latest, pending);
  await new Promise((resolve) => setImmediate(resolve));
  return consumer;
};

describe('a watch of NATS', () => {
  it('has all when nothing is pending', async () => {
    const consumer = await begun(7, 2);
    consumer.sends('a', 3, 1);
    expect(consumer.told).toEqual([]);
    consumer.sends('b', 7, 0);
    expect(consumer.told).toEqual(['a 3', 'b 7', 'current']);
  });

  it('has all when the server rests, also where that counts as pending what was written over meanwhile', async () => {
    const consumer = await begun(7, 2);
    consumer.sends('b', 7, 1);
    consumer.sends('a', 9, 1);
    expect(consumer.told).toEqual([]);
    consumer.rests(9);
    expect(consumer.told).toEqual(['b 7', 'a 9', 'current']);
  });

  it('has all when the server rests behind what was removed before it came', async () => {
    const consumer = await begun(7, 2);
    consumer.sends('a', 3, 0);
    consumer.rests(6);
    expect(consumer.told).toEqual([]);
    consumer.rests(8);
    expect(consumer.told).toEqual(['a 3', 'current']);
  });

  it('has not all when the server waits for it, and has missed something when that has sent more', async () => {
    const stalled = await begun(7, 2);
    stalled.sends('a', 7, 1);
    stalled.rests(7, { isStalled: true });
    expect(stalled.told).toEqual([]);
    const missing = await begun(7, 2);
    missing.sends('a', 3, 1);
    missing.rests(7, { sent: 2 });
    expect(missing.told).toEqual(['broken']);
  });
});
