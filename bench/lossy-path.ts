// A network between WHEP viewers and a server on loopback: HTTP goes through with the port of the answer's candidates exchanged, UDP with seeded loss
// and delay both ways.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const LOCALHOST = '127.0.0.1';

export interface PathOptions {
  /** 0 to 1, each way. */
  readonly loss: number;
  /** Each way. */
  readonly delayMs: number;
  readonly seed: number;
}

export class LossyPath {
  private readonly options: PathOptions;
  private readonly random: () => number;
  private readonly sockets = new Map<number, Socket>();
  private readonly front = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  private readonly http = createServer();
  private serverPort = 0;
  private isClosed = false;
  forwarded = 0;
  dropped = 0;

  constructor(options: PathOptions) {
    this.options = options;
    this.random = seeded(options.seed);
  }

  /** Opens the path to a server; returns the URL that stands for `httpUrl`. */
  async open(httpUrl: string): Promise<string> {
    this.front.bind(0, LOCALHOST);
    await once(this.front, 'listening');
    this.front.on('message', (bytes, { port }) => this.pass(() => this.socketOf(port).send(bytes, this.serverPort, LOCALHOST)));
    this.http.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = 'GET', url = '/', headers } = request;
        const contentType = headers['content-type'];
        void fetch(new URL(url, httpUrl), {
          method,
          headers: contentType === undefined ? {} : { 'content-type': contentType },
          ...(method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
        }).then(async (answer) => {
          const location = answer.headers.get('location');
          response.writeHead(answer.status, {
            'content-type': answer.headers.get('content-type') ?? 'text/plain',
            ...(location === null ? {} : { location }),
          });
          response.end(this.withOwnPort(await answer.text()));
        });
      });
    });
    this.http.listen(0, LOCALHOST);
    await once(this.http, 'listening');
    return `http://${LOCALHOST}:${(this.http.address() as AddressInfo).port}`;
  }

  close(): void {
    this.isClosed = true;
    this.http.close();
    this.http.closeAllConnections();
    this.front.close();
    for (const socket of this.sockets.values()) socket.close();
  }

  private withOwnPort(sdp: string): string {
    return sdp.replace(/^(a=candidate:\S+ 1 udp \d+ \S+ )(\d+)/gim, (_, before: string, port: string) => {
      this.serverPort = Number(port);
      return before + this.front.address().port;
    });
  }

  /** A viewer's own port towards the server, so that the server can tell viewers apart. */
  private socketOf(viewerPort: number): Socket {
    let socket = this.sockets.get(viewerPort);
    if (socket === undefined) {
      socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
      socket.on('message', (bytes) => this.pass(() => this.front.send(bytes, viewerPort, LOCALHOST)));
      this.sockets.set(viewerPort, socket);
    }
    return socket;
  }

  private pass(send: () => void): void {
    if (this.random() < this.options.loss) {
      this.dropped++;
      return;
    }
    this.forwarded++;
    setTimeout(() => {
      if (!this.isClosed) send();
    }, this.options.delayMs);
  }
}

/** A linear congruential generator: the same losses for the same order of packets. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
