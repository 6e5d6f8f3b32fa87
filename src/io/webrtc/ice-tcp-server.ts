import { createServer, type Server, type Socket } from 'node:net';
import { ProtocolError } from '../../core/mod.ts';
import { frameForTcp, type IceTransport, isStun, TcpFrameReader } from '../../protocols/ice/mod.ts';
import { AddressCounts } from '../address-counts.ts';
import { listenHost } from '../listen-error.ts';
import { remoteAddress } from '../remote-address.ts';

/** What the owner does with what comes by TCP. */
export interface IceTcpOutput {
  /** A STUN message; borrowed until the call returns. */
  stun(transport: IceTransport, bytes: Uint8Array): void;
  /** Any other packet of a connection; borrowed. */
  packet(connection: number, bytes: Uint8Array): void;
  closed(connection: number, transport: IceTransport): void;
}

export interface IceTcpOptions {
  readonly host: string;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

/** A connection that nobody has claimed by a valid check is closed after this. */
const UNCLAIMED_MS_MAX = 10_000;
/** Past this backlog packets are lost, as UDP would lose them: late media is worth nothing. */
const BACKLOG_BYTES_MAX = 512 * 1024;

interface Connection {
  readonly socket: Socket;
  readonly transport: IceTransport;
  readonly openedAt: number;
  isClaimed: boolean;
}

/** Takes ICE-TCP connections (RFC 6544, passive; packets framed by RFC 4571), for networks that let no UDP through. */
export class IceTcpServer {
  private readonly out: IceTcpOutput;
  private readonly options: IceTcpOptions;
  private readonly server: Server;
  private readonly connections = new Map<number, Connection>();
  private readonly perAddress: AddressCounts;
  private lastId = 0;
  private lostPackets = 0;

  constructor(out: IceTcpOutput, options: IceTcpOptions) {
    this.out = out;
    this.options = options;
    this.perAddress = new AddressCounts(options.connectionsPerAddressMax);
    this.server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.accept(socket));
    this.server.maxConnections = options.connectionsMax;
  }

  /** Packets thrown away because their connection did not take them. */
  get packetsLost(): number {
    return this.lostPackets;
  }

  get size(): number {
    return this.connections.size;
  }

  /** Rejects with the error of `net`. */
  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ ...listenHost(this.options.host), port }, () => {
        this.server.off('error', reject);
        // E.g. no file descriptor left for a new connection: the others go on.
        this.server.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** A session owns the connection: it stays as long as the peer keeps it. */
  claim(id: number): void {
    const connection = this.connections.get(id);
    if (connection !== undefined) connection.isClaimed = true;
  }

  /** Sends one packet (borrowed), or loses it when the peer does not read. */
  send(id: number, packet: Uint8Array): void {
    const socket = this.connections.get(id)?.socket;
    if (socket === undefined || socket.destroyed) return;
    if (socket.writableLength > BACKLOG_BYTES_MAX) this.lostPackets++;
    else socket.write(frameForTcp(packet));
  }

  disconnect(id: number): void {
    this.connections.get(id)?.socket.destroy();
  }

  /** Closes what nobody claimed in time. */
  tick(now: number): void {
    for (const { socket, isClaimed, openedAt } of this.connections.values()) {
      if (!isClaimed && now - openedAt > UNCLAIMED_MS_MAX) socket.destroy();
    }
  }

  close(): Promise<void> {
    for (const { socket } of this.connections.values()) socket.destroy();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private accept(socket: Socket): void {
    const ip = remoteAddress(socket);
    socket.on('error', () => socket.destroy());
    if (!this.perAddress.add(ip)) {
      socket.destroy();
      return;
    }
    this.lastId++;
    const id = this.lastId;
    const transport = { kind: 'tcp', connection: id, source: { ip, port: socket.remotePort ?? 0 } } as const;
    this.connections.set(id, { socket, transport, openedAt: performance.now(), isClaimed: false });
    const reader = new TcpFrameReader();
    const take = (packet: Uint8Array): void => {
      if (isStun(packet)) this.out.stun(transport, packet);
      else this.out.packet(id, packet);
    };
    socket.on('data', (bytes: Buffer) => {
      try {
        reader.receive(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), take);
      } catch (error) {
        socket.destroy();
        if (!(error instanceof ProtocolError)) throw error;
      }
    });
    socket.on('close', () => {
      this.connections.delete(id);
      this.perAddress.remove(ip);
      this.out.closed(id, transport);
    });
  }
}
