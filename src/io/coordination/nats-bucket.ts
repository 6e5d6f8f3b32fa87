import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { STORE_VALUE_BYTES_MAX } from '../../cluster/mod.ts';
import { fromTokens, toTokens } from './keys.ts';
import { hasNoResponders, hasTimedOut, isWithoutStream, natsFailure, WrongRevision } from './nats-failure.ts';

/** A question that JetStream's leader did not answer within this time is asked again: there may be a new one. */
const ANSWER_MS_MAX = 1500;
const RETRY_MS = 100;
const CONTENDED_MS_MAX = 50;
const COMPARES_SUBJECTS_SINCE = [2, 9, 21];
const OPERATION = 'KV-Operation';

const bucketName = (cluster: string): string => `sluice_${cluster}`;

/** What the subjects begin with on which a cluster's nodes get answers. */
export const inboxPrefix = (cluster: string): string => `sluice.${cluster}.inbox`;

/** A value, or the mark that a deletion left. */
export interface BucketRecord {
  readonly key: string;
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined;
  readonly revision: number;
}

/** The cluster's KV bucket in JetStream (history 1), over one connection. Revisions are the stream's sequence numbers; methods reject with NATS' errors. */
export class NatsBucket {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** The JetStream stream below. */
  readonly stream: string;
  readonly inboxPrefix: string;
  private readonly client: JetStreamClient;
  private readonly subjectPrefix: string;
  private readonly checksWholeStream: boolean;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(connection: NatsConnection, manager: JetStreamManager, cluster: string, replicas: number) {
    const bucket = bucketName(cluster);
    this.inboxPrefix = inboxPrefix(cluster);
    this.connection = connection;
    this.manager = manager;
    this.client = jetstream(connection);
    this.stream = `KV_${bucket}`;
    this.checksWholeStream = replicas > 1 && comparesTooEarly(connection.info?.version ?? '');
    this.subjectPrefix = `$KV.${bucket}.`;
  }

  /** Makes the bucket where it is missing, and gives it more replicas where it has fewer than it should. */
  static async open(connection: NatsConnection, cluster: string, replicas: number): Promise<NatsBucket> {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ANSWER_MS_MAX });
    const stream = `KV_${bucketName(cluster)}`;
    // One that is there answers by its own leader. Making one takes the leader of all of JetStream, whose successor may be elected much later.
    if (!(await isThere(manager, stream))) {
      // Reads go to the leader: another replica may be behind, and what one caller wrote every caller is to read.
      const options = { history: 1, replicas, allow_direct: false, maxValueSize: STORE_VALUE_BYTES_MAX + 4096 };
      await new Kvm(jetstream(connection, { timeout: ANSWER_MS_MAX })).create(bucketName(cluster), options);
    }
    const { config } = await manager.streams.info(stream);
    if (config.num_replicas < replicas) await manager.streams.update(stream, { num_replicas: replicas });
    return new NatsBucket(connection, manager, cluster, Math.max(config.num_replicas, replicas));
  }

  /** The subject of a key, or of all keys under a prefix. */
  subject(keyOrPrefix: string): string {
    if (keyOrPrefix === '') return `${this.subjectPrefix}>`;
    return this.subjectPrefix + (keyOrPrefix.endsWith('/') ? `${toTokens(keyOrPrefix)}>` : toTokens(keyOrPrefix));
  }

  key(subject: string): string {
    return fromTokens(subject.slice(this.subjectPrefix.length));
  }

  /** The latest record of a key, or of all under a prefix, as the leader has it. */
  async latest(keyOrPrefix: string, deadlineMs: number): Promise<BucketRecord | undefined> {
    const query = { last_by_subj: this.subject(keyOrPrefix) };
    const message = await again(deadlineMs, () => this.manager.streams.getMessage(this.stream, query), true);
    return message === null ? undefined : this.record(message);
  }

  /** Writes if the latest record of the key has this revision, 0 for none. `undefined` as the value leaves the mark of a deletion. */
  write(key: string, value: Uint8Array | undefined, expected: number, deadlineMs: number): Promise<number> {
    if (expected === 0 || !this.checksWholeStream) return this.publish(key, value, { lastSubjectSequence: expected }, deadlineMs);
    // One after the other: writes of one process would only make each other try again.
    const turn = this.turn.then(() => this.writeAlone(key, value, expected, deadlineMs));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Replicated streams of nats-server before 2.9.21 compare a subject's revision before, not when, they apply a write, so that several writers win at once
   * (nats-server#4320). The revision of the whole stream they do compare when they apply it. So: the stream has revision L; the key, read after that,
   * has the expected one, and so had it at L; write if the stream still is at L.
   */
  private async writeAlone(key: string, value: Uint8Array | undefined, expected: number, deadlineMs: number): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      const { state } = await again(deadlineMs, () => this.manager.streams.info(this.stream), true);
      const there = await this.latest(key, deadlineMs);
      if ((there?.revision ?? 0) !== expected) throw new WrongRevision(`${key} has revision ${there?.revision ?? 0}`);
      try {
        return await this.publish(key, value, { lastSubjectSequence: expected, lastSequence: state.last_seq }, deadlineMs);
      } catch (error) {
        if (natsFailure(error).failure !== 'conflict') throw error;
        if (performance.now() > deadlineMs) throw new Error('too many others write at the same time', { cause: error });
      }
      await pause(Math.random() * Math.min(CONTENDED_MS_MAX, attempt * 5));
    }
  }

  private publish(
    key: string,
    value: Uint8Array | undefined,
    expect: { lastSubjectSequence: number; lastSequence?: number },
    deadlineMs: number,
  ): Promise<number> {
    const send = async (): Promise<number> => {
      const marks = headers();
      if (value === undefined) marks.set(OPERATION, 'DEL');
      const timeout = Math.max(1, deadlineMs - performance.now());
      return (await this.client.publish(this.subject(key), value ?? new Uint8Array(0), { headers: marks, expect, timeout })).seq;
    };
    return again(deadlineMs, send, false);
  }

  /** Removes a key's mark of a deletion, up to it and no further: what was created since stays. */
  async purge(key: string, revision: number): Promise<void> {
    await this.manager.streams.purge(this.stream, { filter: this.subject(key), seq: revision + 1 });
  }

  private record(message: StoredMsg): BucketRecord {
    const isMark = isDeletion(message.header);
    return { key: this.key(message.subject), value: isMark ? undefined : message.data, revision: message.seq };
  }
}

async function isThere(manager: JetStreamManager, stream: string): Promise<boolean> {
  try {
    await manager.streams.info(stream);
    return true;
  } catch (error) {
    if (isWithoutStream(error)) return false;
    throw error;
  }
}

/** Whether a message with these headers is the mark of a deletion. */
export function isDeletion(marks: MsgHdrs | undefined): boolean {
  const operation = marks?.get(OPERATION);
  return operation === 'DEL' || operation === 'PURGE';
}

/** Tries again while nobody was there to receive it; also after no answer, when asking twice does no harm. */
async function again<Value>(deadlineMs: number, attempt: () => Promise<Value>, isHarmless: boolean): Promise<Value> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const mayRepeat = hasNoResponders(error) || (isHarmless && hasTimedOut(error));
      if (!mayRepeat || performance.now() + RETRY_MS > deadlineMs) throw error;
      await pause(RETRY_MS);
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether a server's version is before {@link COMPARES_SUBJECTS_SINCE}. */
function comparesTooEarly(version: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  const differing = COMPARES_SUBJECTS_SINCE.findIndex((since, at) => parts[at] !== since);
  return differing >= 0 && (parts[differing] ?? 0) < COMPARES_SUBJECTS_SINCE[differing]!;
}
