import {
  Agent,
  type ClientRequestArgs,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { SluiceError } from '../../core/mod.ts';
import { identityError } from './peer-identity.ts';
import type { RelayTls, RelayUpstream } from './relay-pull.ts';

/** A request to another node. */
export interface NodeQuestion {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array | undefined;
  /** Until the answer is complete. */
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
  /** Says that nobody waits any more. */
  readonly gone?: AbortSignal;
}

export interface NodeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** By ALPN, a connection to the relay's port that carries requests. */
export const HTTP_PROTOCOL = 'http/1.1';
const CONNECT_MS_MAX = 5_000;
/** Shorter than the other side keeps a connection, so that none is used that it is just closing. */
const KEEP_ALIVE_MS = 50_000;
const SPARE_CONNECTIONS_MAX = 2;
/** To one node at a time; further requests wait for these. */
const CONNECTIONS_MAX = 64;

/** Asks other nodes by HTTP/1.1 over mutual TLS, at their relay ports. */
export class NodeCalls {
  private readonly agent: NodeAgent;

  /** `tls`: what this node shows to others now. */
  constructor(tls: () => RelayTls) {
    this.agent = new NodeAgent(tls);
  }

  /** The answer, whatever its status. Rejects with `SluiceError` `relay.node-unreachable`, also when the node is of a build that does not answer there. */
  ask(upstream: RelayUpstream, question: NodeQuestion): Promise<NodeAnswer> {
    const { method, path, headers, body, timeoutMs, answerBytesMax, gone } = question;
    const late = AbortSignal.timeout(timeoutMs);
    const options: NodeRequest = {
      agent: this.agent,
      upstream,
      host: upstream.host,
      port: upstream.port,
      method,
      path,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': body.length }) },
      signal: gone === undefined ? late : AbortSignal.any([late, gone]),
    };
    return new Promise<NodeAnswer>((resolve, reject) => {
      const failed = (cause: Error): void => {
        const reason = late.aborted ? `no answer for ${timeoutMs} ms` : cause.message;
        reject(new SluiceError('relay.node-unreachable', `node ${upstream.node} cannot be asked: ${reason}`, { cause }));
      };
      request(options)
        .on('error', failed)
        .on('response', (answer) => readAnswer(answer, answerBytesMax, resolve, failed))
        .end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

interface NodeRequest extends ClientRequestArgs {
  readonly upstream: RelayUpstream;
}

class NodeAgent extends Agent {
  private readonly tls: () => RelayTls;

  constructor(tls: () => RelayTls) {
    super({ keepAlive: true, timeout: KEEP_ALIVE_MS, maxFreeSockets: SPARE_CONNECTIONS_MAX, maxSockets: CONNECTIONS_MAX });
    this.tls = tls;
  }

  /** A connection to one node is none to another that has its address now. */
  override getName(options?: Partial<NodeRequest>): string {
    return `${options?.upstream?.node} ${options?.host}:${options?.port}`;
  }

  override createConnection(options: ClientRequestArgs, created: (error: Error | null, stream: Duplex) => void): undefined {
    const { upstream } = options as NodeRequest;
    const socket = connect({
      host: upstream.host,
      port: upstream.port,
      ...this.tls(),
      servername: '',
      minVersion: 'TLSv1.3',
      ALPNProtocols: [HTTP_PROTOCOL],
      checkServerIdentity: (_host, certificate) => identityError(upstream, certificate),
    });
    const failed = (error: Error): void => created(error, socket);
    socket.once('error', failed);
    socket.setTimeout(CONNECT_MS_MAX, () => socket.destroy(new Error(`no connection within ${CONNECT_MS_MAX} ms`)));
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      // One of a build before takes everything for the relay's own protocol.
      if (socket.alpnProtocol !== HTTP_PROTOCOL) socket.destroy(new Error('its build does not answer other nodes: update it'));
      else {
        socket.off('error', failed);
        socket.removeAllListeners('timeout');
        created(null, socket);
      }
    });
    return undefined;
  }
}

function readAnswer(answer: IncomingMessage, bytesMax: number, done: (answer: NodeAnswer) => void, failed: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  answer.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) answer.destroy(new Error(`the answer is longer than ${bytesMax} bytes`));
    else chunks.push(chunk);
  });
  answer.on('error', failed);
  answer.on('end', () => done({ status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(chunks, sizeBytes) }));
}
