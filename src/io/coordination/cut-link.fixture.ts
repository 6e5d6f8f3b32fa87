// A TCP link that can be cut, or frozen so that nobody is told.
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CutLink {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private state: 'whole' | 'cut' | 'frozen' = 'whole';
  port = 0;

  private constructor(targetPort: number) {
    this.server = createServer((near) => {
      if (this.state === 'cut') {
        near.destroy();
        return;
      }
      const far = connect(targetPort, '127.0.0.1');
      this.join(near, far);
      this.join(far, near);
    });
  }

  static async to(targetPort: number): Promise<CutLink> {
    const link = new CutLink(targetPort);
    await new Promise<void>((resolve) => {
      link.server.listen(0, '127.0.0.1', resolve);
    });
    link.port = (link.server.address() as { port: number }).port;
    return link;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Connections break, and new ones are refused. */
  cut(): void {
    this.state = 'cut';
    for (const socket of this.sockets) socket.destroy();
  }

  /** Connections stay and carry nothing any more: what a pulled plug looks like. */
  freeze(): void {
    this.state = 'frozen';
  }

  restore(): void {
    for (const socket of this.sockets) socket.destroy();
    this.state = 'whole';
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.on('data', (chunk) => {
      if (this.state === 'whole') to.write(chunk);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.sockets.delete(from);
      if (this.state !== 'frozen') to.destroy();
    });
  }
}
