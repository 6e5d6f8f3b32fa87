import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Collections until nothing becomes free any more that the last one kept for finalizers. */
const COLLECTIONS = 3;
/** V8 gives pages back beside its main thread. */
const GIVEN_BACK_MS = 500;

/** Collects what a server's heap does not need any more, by its inspector: how much it lets lie until it does so itself is no share of anybody's. */
export class HeapCollector {
  private readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  static async open(): Promise<HeapCollector> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return new HeapCollector(port);
  }

  /** For the server to be started with. */
  get environment(): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: `--inspect=127.0.0.1:${this.port}` };
  }

  async collect(): Promise<void> {
    const targets = (await (await fetch(`http://127.0.0.1:${this.port}/json`)).json()) as { readonly webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
    const methods = ['enable', ...Array<string>(COLLECTIONS).fill('collectGarbage'), 'disable'];
    for (const [id, method] of methods.entries()) {
      const answered = new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
      socket.send(JSON.stringify({ id, method: `HeapProfiler.${method}` }));
      await answered;
    }
    socket.close();
    await sleep(GIVEN_BACK_MS);
  }
}
