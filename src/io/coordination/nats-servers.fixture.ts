// Real nats-servers on free ports of the loopback interface.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, Engine } from './coordination-clients.fixture.ts';
import { NatsBus } from './nats-bus.ts';
import { NatsLink } from './nats-link.ts';
import { natsServerConfig } from './nats-server-config.ts';
import { NatsStore } from './nats-store.ts';

const USER = 'tester';
const PASSWORD = 'only-on-loopback';

class TestServer {
  readonly name: string;
  readonly port: number;
  private readonly configFile: string;
  private readonly monitorPort: number;
  private child: ChildProcess | undefined;
  private readonly failed: string[] = [];

  constructor(name: string, port: number, configFile: string, monitorPort: number) {
    this.name = name;
    this.port = port;
    this.configFile = configFile;
    this.monitorPort = monitorPort;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
      const child = spawn('nats-server', ['-c', this.configFile], { stdio: ['ignore', 'ignore', 'pipe'], env });
      this.child = child;
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.failed.push(text);
        if (text.includes('Server is ready')) resolve();
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`nats-server ended: ${this.failed.join('').slice(-2000)}`)));
    });
  }

  /** Whether it knows JetStream's leader and has all that the others have: until then it does not count for what the loss of another one costs. */
  async isHealthy(): Promise<boolean> {
    return (await fetch(`http://127.0.0.1:${this.monitorPort}/healthz`)).ok;
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('close', () => resolve());
      child.kill(signal);
    });
  }
}

/** One nats-server, or three with a common JetStream. */
export class TestNats {
  readonly user: string = USER;
  readonly password: string = PASSWORD;
  readonly servers: TestServer[];
  private readonly folder: string;

  private constructor(servers: TestServer[], folder: string) {
    this.servers = servers;
    this.folder = folder;
  }

  static async start(count: 1 | 3): Promise<TestNats> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-nats-'));
    const ports = await freePorts(3 * count);
    const peers = ports.slice(count, 2 * count).map((port) => `127.0.0.1:${port}`);
    const servers = Array.from({ length: count }, (_, at) => {
      const name = `n${at + 1}`;
      mkdirSync(join(folder, name));
      const file = join(folder, name, 'nats-server.conf');
      const config = natsServerConfig({
        name,
        host: '127.0.0.1',
        port: ports[at]!,
        storeFolder: join(folder, name, 'jetstream'),
        user: USER,
        password: PASSWORD,
        ...(count === 1 ? {} : { cluster: { name: 'test', host: '127.0.0.1', port: ports[count + at]!, peers } }),
      });
      const monitorPort = ports[2 * count + at]!;
      writeFileSync(file, `${config}http: "127.0.0.1:${monitorPort}"\n`, { mode: 0o600 });
      return new TestServer(name, ports[at]!, file, monitorPort);
    });
    const nats = new TestNats(servers, folder);
    await Promise.all(servers.map((server) => server.start()));
    return nats;
  }

  /** A client by the servers' own addresses, or by others that lead to them. */
  client(
    cluster: string,
    servers: readonly string[] = this.servers.map(({ url }) => url),
    password: string = PASSWORD,
  ): Client & { readonly link: NatsLink; readonly store: NatsStore } {
    const link = new NatsLink({ servers, cluster, user: USER, password });
    const store = new NatsStore(link, { replicas: this.servers.length === 3 ? 3 : 1 });
    const bus = new NatsBus(link);
    return {
      store,
      bus,
      link,
      close: async () => {
        store.close();
        bus.close();
        await link.close();
      },
    };
  }

  engine(cluster: string): Engine {
    return { open: () => this.client(cluster), close: () => Promise.resolve() };
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill('SIGKILL')));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer();
      await new Promise<void>((resolve) => {
        probe.listen(0, '127.0.0.1', resolve);
      });
      return probe;
    }),
  );
  const ports = probes.map((probe) => (probe.address() as { port: number }).port);
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}
