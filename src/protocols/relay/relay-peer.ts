import { type MonotonicMs, ProtocolError } from '../../core/mod.ts';
import { Heartbeat } from './heartbeat.ts';
import { MessageSplitter } from './message-splitter.ts';
import { HELLO_BYTES_MAX, MESSAGE_BYTES_MAX, RELAY_VERSION, RELAY_VERSION_MIN, type RelayMessage } from './messages.ts';
import { readMessage } from './read-message.ts';
import { SendQueue } from './send-queue.ts';
import { writeGoodbye, writeHello, writePing, writePong } from './write-message.ts';

/** Who talks to whom. */
export interface RelayPeerOptions {
  /** This node's id. */
  readonly node: string;
  /** Name of the cluster; both sides must have the same. */
  readonly cluster: string;
  /** The other node's id as its certificate says: its hello must say the same. */
  readonly peerNode: string;
  /** What differs from the versions of this build. */
  readonly versions?: { readonly min: number; readonly max: number };
}

/** What both ends of a connection have to say to whoever owns it. */
export interface RelayPeerOutput {
  /** Something waits in the queue. */
  wake(): void;
  /** The other side said hello and the version was agreed on; before it, only a holder's subscribers are heard. */
  opened(version: number): void;
  /** Any message but those of the connection itself. */
  message(message: RelayMessage, now: MonotonicMs): void;
  /** The connection is over, once; what waits in the queue (a goodbye) may still be sent. */
  closed(code: string, message: string): void;
}

/** What both sides of a relay connection have alike: hello and goodbye, versions, heartbeats, the cutting into messages. */
export class RelayPeer {
  readonly queue: SendQueue = new SendQueue();
  readonly heartbeat: Heartbeat;
  private readonly out: RelayPeerOutput;
  private readonly options: RelayPeerOptions;
  private readonly splitter = new MessageSplitter(HELLO_BYTES_MAX);
  private readonly versions: { readonly min: number; readonly max: number };
  private state: 'greeting' | 'open' | 'closed' = 'greeting';

  constructor(out: RelayPeerOutput, options: RelayPeerOptions, now: MonotonicMs) {
    this.out = out;
    this.options = options;
    this.versions = options.versions ?? { min: RELAY_VERSION_MIN, max: RELAY_VERSION };
    this.heartbeat = new Heartbeat(now);
    this.queue.push(writeHello(this.versions.min, this.versions.max, options.node, options.cluster));
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get isClosed(): boolean {
    return this.state === 'closed';
  }

  get wakeAt(): MonotonicMs | undefined {
    return this.state === 'closed' ? undefined : this.heartbeat.wakeAt;
  }

  /** `bytes` are borrowed. */
  receive(bytes: Uint8Array, now: MonotonicMs): void {
    if (this.state === 'closed') return;
    this.heartbeat.heard(now);
    try {
      this.splitter.push(bytes, (message) => {
        if (this.state !== 'closed') this.take(readMessage(message), now);
      });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(error.code, error.message);
    }
  }

  tick(now: MonotonicMs): void {
    if (this.state === 'closed') return;
    const due = this.heartbeat.tick(now);
    if (due === 'silent') this.close('relay.silent', 'the relay peer has said nothing for 3 s');
    else if (due !== undefined) this.send(writePing(due.ping, now));
  }

  send(bytes: Uint8Array): void {
    if (this.state === 'closed') return;
    this.queue.push(bytes);
    this.out.wake();
  }

  /** Says goodbye. */
  close(code: string, message: string): void {
    if (this.state === 'closed') return;
    this.queue.clear();
    this.send(writeGoodbye(code, message));
    this.end(code, message);
  }

  /** The connection is gone without a goodbye. */
  broken(code: string, message: string): void {
    if (this.state === 'closed') return;
    this.queue.clear();
    this.end(code, message);
  }

  private end(code: string, message: string): void {
    this.state = 'closed';
    this.out.closed(code, message);
  }

  private take(message: RelayMessage, now: MonotonicMs): void {
    if (message.kind === 'goodbye') {
      this.queue.clear();
      this.end(message.code, message.message);
    } else if (this.state === 'greeting') {
      this.greet(message);
    } else if (message.kind === 'ping') {
      this.send(writePong(message.id, message.sentMs, now));
    } else if (message.kind === 'pong') {
      this.heartbeat.pong(message.id, message.pingMs, message.sentMs, now);
    } else if (message.kind !== 'unknown') {
      this.out.message(message, now);
    }
  }

  private greet(message: RelayMessage): void {
    if (message.kind !== 'hello') throw new ProtocolError('relay.no-hello', `the relay peer began with ${message.kind}, not with hello`);
    const { cluster, peerNode } = this.options;
    if (message.cluster !== cluster) {
      throw new ProtocolError(
        'relay.wrong-cluster',
        `node ${shown(message.node)} belongs to cluster ${shown(message.cluster)}, not ${shown(cluster)}`,
      );
    }
    if (message.node !== peerNode) {
      throw new ProtocolError(
        'relay.wrong-node',
        `the certificate is of node ${shown(peerNode)}, but the hello says ${shown(message.node)}`,
      );
    }
    const version = Math.min(this.versions.max, message.versionMax);
    if (version < this.versions.min || version < message.versionMin) throw noVersion(this.versions, message);
    this.splitter.bytesMax = MESSAGE_BYTES_MAX;
    this.state = 'open';
    this.out.opened(version);
  }
}

function noVersion(
  ours: { readonly min: number; readonly max: number },
  theirs: { readonly node: string; readonly versionMin: number; readonly versionMax: number },
): ProtocolError {
  return new ProtocolError(
    'relay.version',
    `relay versions ${theirs.versionMin} to ${theirs.versionMax} of node ${shown(theirs.node)} and ${ours.min} to ${ours.max} here have none in common: update the older node`,
  );
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 80));
