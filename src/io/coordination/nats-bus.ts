import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { BUS_MESSAGE_BYTES_MAX, type Bus, type BusReply } from '../../cluster/mod.ts';
import { callOut } from './call-out.ts';
import { fromTokens, isKey, parsePattern, toTokens } from './keys.ts';
import { hasNoResponders } from './nats-failure.ts';
import type { NatsLink } from './nats-link.ts';

const WILDCARDS = { '': '', '*': '.*', '**': '.>' } as const;
/** Servers of a subject share this queue group, so that one of them gets each request. */
const QUEUE = 'servers';

/** What is subscribed whenever there is a connection. */
interface Standing {
  subscribe(connection: NatsConnection): Subscription;
  subscription: Subscription | undefined;
}

/** The bus of many machines, on core NATS. */
export class NatsBus implements Bus {
  private readonly messages: string;
  private readonly requests: string;
  private readonly standing = new Set<Standing>();
  private readonly connectedHandlers = new Set<(isConnected: boolean) => void>();
  private readonly unuse: () => void;
  private connection: NatsConnection | undefined;

  constructor(link: NatsLink) {
    this.messages = `sluice.${link.cluster}.message.`;
    this.requests = `sluice.${link.cluster}.request.`;
    this.unuse = link.use({
      connected: (connection) => {
        this.connection = connection;
        for (const one of this.standing) one.subscription = one.subscribe(connection);
        this.tellConnected(true);
      },
      disconnected: () => {
        this.connection = undefined;
        this.tellConnected(false);
      },
    });
  }

  publish(subject: string, message: Uint8Array): void {
    if (!isKey(subject) || message.length > BUS_MESSAGE_BYTES_MAX) return;
    try {
      this.connection?.publish(this.messages + toTokens(subject), message);
    } catch {
      // The connection was closed in this moment: nothing is kept for later.
    }
  }

  subscribe(pattern: string, handler: (subject: string, message: Uint8Array) => void): () => void {
    const { base, wildcard } = parsePattern(pattern);
    const subject = this.messages + toTokens(base) + WILDCARDS[wildcard];
    return this.stand((connection) =>
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) callOut(() => handler(fromTokens(message.subject.slice(this.messages.length)), message.data));
        },
      }),
    );
  }

  request(subject: string, message: Uint8Array, timeoutMs: number, done: (reply: BusReply) => void): void {
    const { connection } = this;
    this.ask(connection, subject, message, timeoutMs)
      .catch((error: unknown): BusReply => {
        if (hasNoResponders(error)) return { ok: false, failure: 'nobody' };
        return { ok: false, failure: this.connection === connection ? 'timeout' : 'unavailable' };
      })
      .then((reply) => callOut(() => done(reply)))
      .catch(() => undefined);
  }

  serve(subject: string, handler: (message: Uint8Array, reply: (answer: Uint8Array) => void) => void): () => void {
    const { base } = parsePattern(subject);
    return this.stand((connection) =>
      connection.subscribe(this.requests + toTokens(base), {
        queue: QUEUE,
        callback: (error, message) => {
          if (error !== null) return;
          let isAnswered = false;
          const reply = (answer: Uint8Array): void => {
            if (isAnswered || answer.length > BUS_MESSAGE_BYTES_MAX || connection.isClosed()) return;
            isAnswered = true;
            message.respond(answer);
          };
          callOut(() => handler(message.data, reply));
        },
      }),
    );
  }

  onConnected(handler: (isConnected: boolean) => void): () => void {
    this.connectedHandlers.add(handler);
    setImmediate(() => this.connectedHandlers.has(handler) && handler(this.connection !== undefined));
    return () => this.connectedHandlers.delete(handler);
  }

  /** Ends everything. The link is the caller's to close. */
  close(): void {
    this.unuse();
    for (const one of [...this.standing]) this.fall(one);
    this.connectedHandlers.clear();
    this.connection = undefined;
  }

  private async ask(connection: NatsConnection | undefined, subject: string, message: Uint8Array, timeout: number): Promise<BusReply> {
    if (!isKey(subject) || message.length > BUS_MESSAGE_BYTES_MAX) return { ok: false, failure: 'nobody' };
    if (connection === undefined) return { ok: false, failure: 'unavailable' };
    const { data } = await connection.request(this.requests + toTokens(subject), message, { timeout });
    return { ok: true, value: data };
  }

  private stand(subscribe: (connection: NatsConnection) => Subscription): () => void {
    const one: Standing = { subscribe, subscription: undefined };
    this.standing.add(one);
    if (this.connection !== undefined) one.subscription = subscribe(this.connection);
    return () => this.fall(one);
  }

  private fall(one: Standing): void {
    this.standing.delete(one);
    if (one.subscription !== undefined && this.connection !== undefined && !this.connection.isClosed()) one.subscription.unsubscribe();
    one.subscription = undefined;
  }

  private tellConnected(isConnected: boolean): void {
    for (const handler of [...this.connectedHandlers]) if (this.connectedHandlers.has(handler)) callOut(() => handler(isConnected));
  }
}
