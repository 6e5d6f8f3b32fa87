import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** Passes TCP connections on to another address, and everything a while later: a link to a region far away. */
export class DelayedLink {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
  }

  /** `delayMs` each way; a new connection takes one round trip, as TCP's own does. */
  static async open(
    from: { readonly host: string; readonly port: number },
    to: { readonly host: string; readonly port: number },
    delayMs: number,
  ): Promise<DelayedLink> {
    const server = createServer({ noDelay: true, pauseOnConnect: true });
    const link = new DelayedLink(server);
    server.on('connection', (near) => {
      link.keep(near);
      // The handshake's round trip: what the client sends before that waits.
      setTimeout(() => {
        const far = createConnection({ ...to, noDelay: true });
        link.keep(far);
        pass(near, far, delayMs);
        pass(far, near, delayMs);
        near.resume();
      }, delayMs * 2);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(from, resolve);
    });
    return link;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.sockets.delete(socket));
  }
}

function pass(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.once('close', () => setTimeout(() => to.destroy(), delayMs));
}
