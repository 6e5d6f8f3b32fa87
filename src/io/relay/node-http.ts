import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type pino from 'pino';
import type { MediaRoute } from '../media-route.ts';

/** A connection between two nodes is kept so long for the next request. */
const KEEP_ALIVE_MS = 60_000;
/** A request or an answer that does not move for so long is given up. */
const STALLED_MS_MAX = 75_000;

/**
 * HTTP/1.1 from node to node, over connections that the relay's port accepted: their certificates are of this cluster and their nodes are members. What is
 * not for one of the routes is answered with 404.
 */
export class NodeHttp {
  private readonly server: Server;
  private readonly nodes = new Map<TLSSocket, string>();
  private readonly routes: () => readonly MediaRoute[];
  private readonly log: pino.Logger;

  constructor(routes: () => readonly MediaRoute[], log: pino.Logger) {
    this.routes = routes;
    this.log = log;
    this.server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => this.answer(request, response));
    this.server.timeout = STALLED_MS_MAX;
  }

  /** Takes the connection of `node` over. */
  accept(socket: TLSSocket, node: string): void {
    this.nodes.set(socket, node);
    socket.on('close', () => this.nodes.delete(socket));
    this.server.emit('connection', socket);
  }

  /** Ends the connections of a node that is no member any more. */
  disconnect(node: string): void {
    for (const [socket, peer] of [...this.nodes]) if (peer === node) socket.destroy();
  }

  close(): void {
    for (const socket of [...this.nodes.keys()]) socket.destroy();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    try {
      for (const route of this.routes()) if (route(request, response, path, query)) return;
      refuse(response, 404, 'relay.no-route: nothing of this name is for other nodes');
    } catch (error) {
      this.log.error({ code: 'relay.internal', err: error }, 'the request of another node failed; please report this');
      refuse(response, 500, 'relay.internal: a fault of this node');
    }
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
