import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (response: ServerResponse, received: Received) => void;

export const status =
  (code: number, body = ''): Answer =>
  (response) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(body);

/** Ends the connection instead of answering. */
export const hangUp: Answer = (response) => void response.socket?.destroy();

/** A web server on loopback that takes hooks' requests and answers as the test says. */
export class HookReceiver {
  readonly received: Received[] = [];
  answer: Answer = status(204);
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.take(request, response));
  }

  static async start(): Promise<HookReceiver> {
    const receiver = new HookReceiver();
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** The bodies, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: what is in a body is what the tests look at.
  get events(): any[] {
    return this.received.map(({ body }) => JSON.parse(body));
  }

  /** Ends all connections; new ones are taken. */
  drop(): void {
    this.server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = { headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
    this.received.push(received);
    this.answer(response, received);
  }
}
