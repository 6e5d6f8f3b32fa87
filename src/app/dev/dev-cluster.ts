import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../core/mod.ts';
import { apiRequest, identityFile } from '../../io/mod.ts';
import { DevNode } from './dev-node.ts';
import { type DevNodePlan, type DevPorts, devPlan } from './dev-plan.ts';

export interface DevClusterOptions {
  readonly folder: string;
  readonly ports: DevPorts;
  readonly hasDemo: boolean;
  readonly program: string;
  readonly say: (line: string) => void;
}

/** Each is a process that loads the whole program, and then waits for the others a little. */
const STARTS_AT_ONCE = 4;

/** A whole cluster on this machine: two regions of nodes, each a process of its own, that share a store in the folder of the first one. */
export class DevCluster {
  private readonly options: DevClusterOptions;
  private readonly plans: readonly DevNodePlan[];
  private readonly nodes: DevNode[] = [];
  private isStopping = false;

  constructor(options: DevClusterOptions) {
    this.options = options;
    this.plans = devPlan(options.ports, options.hasDemo);
  }

  /** Starts the first manager, then lets the others join it; false: it was stopped meanwhile. Throws `SluiceError`, with all nodes stopped again. */
  async start(): Promise<boolean> {
    try {
      mkdirSync(this.options.folder, { recursive: true, mode: 0o700 });
      const [first, ...others] = this.plans;
      if (first === undefined) return false;
      await this.run(first, undefined);
      const token = others.some(({ name }) => !this.hasJoined(name)) ? await this.createToken(others) : undefined;
      for (let index = 0; index < others.length && !this.isStopping; index += STARTS_AT_ONCE) {
        await Promise.all(others.slice(index, index + STARTS_AT_ONCE).map((plan) => this.run(plan, token)));
      }
    } catch (error) {
      // A node that is stopped before it listens has not failed.
      if (this.isStopping) return false;
      await this.stop();
      throw error;
    }
    return !this.isStopping;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    const [first, ...others] = this.nodes;
    // The manager last, so that nobody misses it.
    await Promise.all(others.map((node) => node.stop()));
    await first?.stop();
  }

  /** Ends at once what {@link stop} has not ended yet. */
  kill(): void {
    for (const node of this.nodes) node.kill();
  }

  /** What is running and where to look, for the person at the terminal. */
  describe(): string {
    const rows = this.nodes
      .toSorted((left, right) => this.plans.indexOf(left.plan) - this.plans.indexOf(right.plan))
      .map(
        ({ plan, pid, listeningPorts: { httpPort } }) =>
          `  ${plan.name.padEnd(12)} ${plan.roles.join(', ').padEnd(9)} ${plan.region}   http://localhost:${httpPort}   pid ${pid}`,
      );
    const find = (name: string): DevNode['listeningPorts'] | undefined => this.nodes.find(({ plan }) => plan.name === name)?.listeningPorts;
    const [origin, near, far] = [find('eu-origin'), find('eu-edge'), find('us-edge-1')];
    const [stream, what] = this.options.hasDemo ? ['demo', 'the demo'] : ['show', 'live/show'];
    return [
      '',
      '  A cluster of two regions is running on this machine.',
      '',
      ...rows,
      '',
      `  ${`Watch ${what} in its region`.padEnd(32)}http://localhost:${near?.httpPort}/watch/live/${stream}`,
      `  and in the other one            http://localhost:${far?.httpPort}/watch/live/${stream}`,
      `  Publish (OBS)                   server rtmp://localhost:${origin?.rtmpPort}/live   stream key show`,
      `  The nodes, by the API           ${this.managerUrl}/api/v1/nodes`,
      `  Admin API key                   in ${this.adminKeyFile}`,
      `  Logs                            ${join(this.options.folder, 'NODE', 'node.log')}`,
      '',
      '  Kill a node (kill -9 PID) and see who notices. Ctrl-C stops them all.',
      '',
    ].join('\n');
  }

  private get adminKeyFile(): string {
    return join(this.options.folder, 'admin-key');
  }

  private folderOf(name: string): string {
    return join(this.options.folder, name);
  }

  private hasJoined(name: string): boolean {
    return existsSync(identityFile(this.folderOf(name)));
  }

  private async run(plan: DevNodePlan, joinToken: string | undefined): Promise<void> {
    const { program, say } = this.options;
    const isFirst = plan === this.plans[0];
    const node = new DevNode({
      plan,
      program,
      dataFolder: this.folderOf(plan.name),
      managerUrl: this.managerUrl,
      isFirst,
      joinToken,
      say,
      ended: (code, signal) => {
        if (!this.isStopping) say(`${plan.name} ended (${signal ?? `code ${code}`}); the others go on`);
      },
    });
    this.nodes.push(node);
    await node.listening();
    if (isFirst && node.adminKey !== undefined) writeFileSync(this.adminKeyFile, `${node.adminKey}\n`, { mode: 0o600 });
    say(`${plan.name} is up`);
  }

  private get managerUrl(): string {
    return `http://127.0.0.1:${this.nodes[0]?.listeningPorts.httpPort ?? this.options.ports.http}`;
  }

  private async createToken(plans: readonly DevNodePlan[]): Promise<string> {
    if (!existsSync(this.adminKeyFile)) {
      throw new SluiceError('dev.no-key', `${this.adminKeyFile} is missing: remove the folder ${this.options.folder} to begin anew`);
    }
    const key = readFileSync(this.adminKeyFile, 'utf8').trim();
    const roles = [...new Set(plans.flatMap((plan) => plan.roles))];
    const answer = await apiRequest({
      url: new URL('/api/v1/cluster/tokens', this.managerUrl),
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: { roles, usesMax: plans.length, expiresInS: 600, note: 'sluice dev' },
      ca: undefined,
    });
    return (answer as { token: string }).token;
  }
}
