import { type AddressInfo, connect, createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SluiceError } from '../../core/mod.ts';

export interface TcpRelayOptions {
  /** A name or an address; judged. */
  readonly host: string;
  readonly port: number;
  /** Whether the other side speaks TLS: its certificate has to be right for `host`. */
  readonly isTls: boolean;
  readonly lookup: LookupFunction;
  /** Looks at what the other side sends (borrowed); throws when it must not get through. */
  readonly inspect?: ((bytes: Uint8Array, address: string) => void) | undefined;
  /** Looks at what the child sends. */
  readonly inspectSent?: ((bytes: Uint8Array) => void) | undefined;
  /** A connection failed. */
  readonly failed: (error: Error) => void;
}

const CONNECT_MS_MAX = 10_000;
/** Some clients connect again to log in. */
const CONNECTIONS_MAX = 4;

/**
 * A port on loopback that leads to one place and nowhere else: FFmpeg, which would resolve names itself and does not check certificates in all its
 * protocols, connects here. Anybody on this machine could, too, as they could connect to that place by themselves.
 */
export class TcpRelay {
  private readonly options: TcpRelayOptions;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private taken = 0;

  constructor(options: TcpRelayOptions) {
    this.options = options;
    this.server = createServer((child) => this.accept(child));
  }

  /** Settles with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(child: Socket): void {
    if (++this.taken > CONNECTIONS_MAX) {
      child.destroy();
      return;
    }
    const { options } = this;
    const upstream = this.connect();
    const end = (): void => {
      child.destroy();
      upstream.destroy();
    };
    for (const socket of [child, upstream]) {
      this.sockets.add(socket);
      socket.setNoDelay(true).once('close', () => {
        this.sockets.delete(socket);
        end();
      });
    }
    child.on('error', end);
    upstream.on('error', (error: Error) => {
      options.failed(error);
      end();
    });
    const inspected = (inspect: TcpRelayOptions['inspect'], to: Socket) => (bytes: Buffer) => {
      try {
        inspect?.(bytes, upstream.remoteAddress ?? '');
      } catch (error) {
        options.failed(error as Error);
        end();
        return;
      }
      const from = to === child ? upstream : child;
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    child.on('data', inspected(options.inspectSent, upstream));
    upstream.on('data', inspected(options.inspect, child));
  }

  private connect(): Socket {
    const { host, port, isTls, lookup } = this.options;
    // SNI takes names alone (RFC 6066 3); without it the address is what the certificate has to name.
    const socket = isTls
      ? connectTls({ host, port, lookup, ...(/[:]|^[\d.]+$/.test(host) ? {} : { servername: host }) })
      : connect({ host, port, lookup });
    const timer = setTimeout(
      () => socket.destroy(new SluiceError('sources.unreachable', `${host}:${port} took no connection within ${CONNECT_MS_MAX / 1000} s`)),
      CONNECT_MS_MAX,
    );
    socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
    return socket;
  }
}
