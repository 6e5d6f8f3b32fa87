import { createSocket, type Socket } from 'node:dgram';
import {
  type FlowOptions,
  Kernel,
  type KernelCloseReason,
  type KernelListener,
  loadKernel,
  type SocketAddress,
  type SrtpProfile,
} from './kernel.ts';

/** An RTP packet taken apart as far as tests look. */
export interface SeenRtp {
  readonly session: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly extensions: ReadonlyMap<number, Uint8Array>;
  readonly payload: Uint8Array;
}

/** A kernel on loopback that writes down what it hears. */
export class Peer {
  readonly kernel: Kernel;
  readonly socket: number;
  readonly address: SocketAddress;
  readonly rtp: SeenRtp[] = [];
  readonly rtcp: Uint8Array[] = [];
  readonly stun: { source: SocketAddress; bytes: Uint8Array }[] = [];
  readonly connected: Map<number, SrtpProfile> = new Map();
  readonly closed: Map<number, KernelCloseReason> = new Map();
  readonly drained: number[] = [];
  /** Where datagrams of TCP sessions go. */
  onDatagram: (session: number, bytes: Uint8Array) => void = () => undefined;

  constructor(
    options: {
      readonly ip?: string;
      readonly segmentationOffload?: 'auto' | 'off';
      readonly sessionsMax?: number;
      readonly srtpProfiles?: readonly SrtpProfile[];
    } = {},
  ) {
    requireKernel();
    const listener: KernelListener = {
      stun: (_, source, bytes) => this.stun.push({ source, bytes: bytes.slice() }),
      rtp: (session, bytes) => this.rtp.push(readRtp(session, bytes.slice())),
      rtcp: (_, bytes) => this.rtcp.push(bytes.slice()),
      connected: (session, profile) => this.connected.set(session, profile),
      closed: (session, reason) => this.closed.set(session, reason),
      datagram: (session, bytes) => this.onDatagram(session, bytes),
      drained: (socket) => this.drained.push(socket),
    };
    const { sessionsMax = 100, segmentationOffload = 'auto', ip = '127.0.0.1', srtpProfiles } = options;
    this.kernel = new Kernel(listener, { sessionsMax, segmentationOffload, ...(srtpProfiles === undefined ? {} : { srtpProfiles }) });
    const bound = this.kernel.bind(ip, 0);
    this.socket = bound.socket;
    this.address = { ip: ip === '::' ? '127.0.0.1' : ip, port: bound.port };
  }

  /** A session with `other`; `fingerprint`: what to expect of its certificate. */
  addSession(
    other: Peer,
    role: 'server' | 'client',
    deliver: 'packets' | 'counts' = 'packets',
    fingerprint: string = other.kernel.fingerprint,
  ): number {
    const value = Uint8Array.from(fingerprint.split(':'), (byte) => Number.parseInt(byte, 16));
    return this.kernel.addSession({ socket: this.socket, role, peerFingerprint: { algorithm: 'sha-256', value }, deliver });
  }
}

/** Fails with what to install where there is no kernel: a missing compiler must not look like a passed test. */
export function requireKernel(): void {
  const kernel = loadKernel();
  if (kernel.unavailable !== undefined) throw new Error(kernel.unavailable);
}

/** Two sessions that have shaken hands, `client` the DTLS client. */
export async function connect(
  server: Peer,
  client: Peer,
  deliver: 'packets' | 'counts' = 'packets',
): Promise<{ server: number; client: number }> {
  const ids = { server: server.addSession(client, 'server'), client: client.addSession(server, 'client', deliver) };
  server.kernel.selectDestination(ids.server, client.address);
  client.kernel.selectDestination(ids.client, server.address);
  client.kernel.startDtls(ids.client);
  await until(() => server.connected.has(ids.server) && client.connected.has(ids.client), [server, client]);
  return ids;
}

/** Waits for a condition while the peers' timers run. */
export async function until(condition: () => boolean, peers: readonly Peer[] = [], what = 'the condition'): Promise<void> {
  const give = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > give) throw new Error(`waited 20 s for ${what}: ${condition.toString()}`);
    for (const peer of peers) peer.kernel.tick();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function readRtp(session: number, bytes: Uint8Array): SeenRtp {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extensions = new Map<number, Uint8Array>();
  let at = 12 + 4 * (view.getUint8(0) & 15);
  if ((view.getUint8(0) & 0x10) !== 0) {
    if (view.getUint16(at) !== 0xbede) throw new Error('no one-byte header extensions');
    const end = at + 4 + view.getUint16(at + 2) * 4;
    at += 4;
    while (at < end) {
      const first = view.getUint8(at);
      const length = (first & 15) + 1;
      if (first === 0) at += 1;
      else {
        extensions.set(first >> 4, bytes.subarray(at + 1, at + 1 + length));
        at += 1 + length;
      }
    }
  }
  return {
    session,
    marker: view.getUint8(1) >= 128,
    payloadType: view.getUint8(1) & 127,
    sequenceNumber: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    extensions,
    payload: bytes.subarray(at),
  };
}

/** A relay between a client and a server, each of which it looks to like the other: it sees, drops and repeats datagrams. */
export class Relay {
  readonly #socket: Socket = createSocket('udp4');
  readonly #server: SocketAddress;
  #client: SocketAddress | undefined;
  /** All datagrams that came, in their order. */
  readonly seen: { readonly isFromClient: boolean; readonly bytes: Uint8Array }[] = [];
  /** Whether a datagram goes on. */
  passes: (bytes: Uint8Array, isFromClient: boolean) => boolean = () => true;

  constructor(server: SocketAddress) {
    this.#server = server;
  }

  async open(): Promise<SocketAddress> {
    this.#socket.on('message', (bytes, { address, port }) => {
      const isFromClient = port !== this.#server.port;
      if (isFromClient) this.#client = { ip: address, port };
      this.seen.push({ isFromClient, bytes: Uint8Array.from(bytes) });
      if (this.passes(bytes, isFromClient)) this.send(bytes, isFromClient);
    });
    await new Promise<void>((resolve) => {
      this.#socket.bind(0, '127.0.0.1', resolve);
    });
    return { ip: '127.0.0.1', port: this.#socket.address().port };
  }

  send(bytes: Uint8Array, isFromClient: boolean): void {
    const to = isFromClient ? this.#server : this.#client;
    if (to !== undefined) this.#socket.send(bytes, to.port, to.ip);
  }

  close(): void {
    this.#socket.close();
  }
}

/** Two peers with a proxy between them, the handshake begun. */
export async function throughProxy(
  server: Peer,
  client: Peer,
  setUp: (proxy: Relay) => void,
): Promise<{ proxy: Relay; server: number; client: number }> {
  const proxy = new Relay(server.address);
  const address = await proxy.open();
  setUp(proxy);
  const ids = { server: server.addSession(client, 'server'), client: client.addSession(server, 'client') };
  server.kernel.selectDestination(ids.server, address);
  client.kernel.selectDestination(ids.client, address);
  client.kernel.startDtls(ids.client);
  return { proxy, ...ids };
}

/** The payloads of one frame as append takes them, `sizes` bytes each, filled with `fill`, `fill` + 1, … */
export function payloads(sizes: readonly number[], fill: number): { bytes: Uint8Array; lengths: Uint16Array; count: number } {
  const parts = sizes.map((size, i) => new Uint8Array(size).fill(fill + i));
  return { bytes: Uint8Array.from(parts.flatMap((part) => [...part])), lengths: Uint16Array.from(sizes), count: sizes.length };
}

/** A flow that sends all at once from the start, but for `more`. */
export const flowOf = (session: number, group: number, more: Partial<FlowOptions> = {}): FlowOptions => ({
  session,
  group,
  ssrc: 0x1111,
  payloadType: 96,
  extensions: {},
  firstSequenceNumber: 1000,
  timestampOffset: 0,
  fromIndex: 0,
  pacePackets: 1000,
  ...more,
});

/** Appends a frame of payloads of these sizes. */
export function frame(
  of: Peer,
  group: number,
  sizes: readonly number[],
  fill: number,
  timestamp = 0,
  isKeyframe = false,
  captureMs: number = Number.NaN,
): number {
  const { bytes, lengths, count } = payloads(sizes, fill);
  return of.kernel.append(group, bytes, lengths, count, timestamp, isKeyframe, true, captureMs);
}

export const receiverReport: Uint8Array = Uint8Array.of(0x80, 201, 0, 1, 0xaa, 0xbb, 0xcc, 0xdd);
export const newGroup = (of: Peer): number => of.kernel.addGroup({ packetsMax: 1000, bytesMax: 1_000_000 });
export const numbersOf = (of: Peer): number[] => of.rtp.map((packet) => packet.sequenceNumber);
