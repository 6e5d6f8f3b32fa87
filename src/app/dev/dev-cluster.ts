import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../core/mod.ts';
import { apiRequest, identityFile } from '../../io/mod.ts';
import { DevNode } from './dev-node.ts';
import { type DevNodePlan, type DevPorts, devPlan } from './dev-plan.ts';

export interface DevClusterOptions {
  readonly folder: string;
  readonly ports: DevPorts;
  readonly program: string;
  readonly say: (line: string) => void;
}

/** A whole cluster on this machine: two regions of nodes, each a process of its own, that share a store in the folder of the first one. */
export class DevCluster {
  private readonly options: DevClusterOptions;
  private readonly plans: readonly DevNodePlan[];
  private readonly nodes: DevNode[] = [];
  private isStopping = false;

  constructor(options: DevClusterOptions) {
    this.options = options;
    this.plans = devPlan(options.ports);
  }

  /** Starts the first manager, then lets the others join it. Throws `SluiceError`, with all nodes stopped again. */
  async start(): Promise<void> {
    try {
      mkdirSync(this.options.folder, { recursive: true, mode: 0o700 });
      const [first, ...others] = this.plans;
      if (first === undefined) return;
      await this.run(first, undefined);
      const token = others.some(({ name }) => !this.hasJoined(name)) ? await this.createToken(others) : undefined;
      // Two at a time: each start is a process that loads the whole program.
      for (let index = 0; index < others.length; index += 2) {
        await Promise.all(others.slice(index, index + 2).map((plan) => this.run(plan, token)));
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    // Edges first and the manager last, so that nobody is missed.
    for (const node of this.nodes.splice(0).reverse()) await node.stop();
  }

  /** What is running and where to look, for the person at the terminal. */
  describe(): string {
    const rows = this.nodes
      .toSorted((left, right) => left.plan.httpPort - right.plan.httpPort)
      .map(
        ({ plan, pid }) =>
          `  ${plan.name.padEnd(12)} ${plan.roles.join(', ').padEnd(9)} ${plan.region}   http://localhost:${plan.httpPort}   pid ${pid}`,
      );
    const find = (name: string): DevNodePlan | undefined => this.plans.find((plan) => plan.name === name);
    const [origin, near, far] = [find('eu-origin'), find('eu-edge'), find('us-edge-1')];
    return [
      '',
      '  A cluster of two regions is running on this machine.',
      '',
      ...rows,
      '',
      `  Watch the demo in its region    http://localhost:${near?.httpPort}/watch/live/demo`,
      `  and in the other one            http://localhost:${far?.httpPort}/watch/live/demo`,
      `  Publish (OBS)                   server rtmp://localhost:${origin?.rtmpPort}/live   stream key show`,
      `  The nodes, by the API           http://localhost:${this.plans[0]?.httpPort}/api/v1/nodes`,
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
    const node = await DevNode.start({
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
    if (this.isStopping) return node.stop();
    this.nodes.push(node);
    if (isFirst && node.adminKey !== undefined) writeFileSync(this.adminKeyFile, `${node.adminKey}\n`, { mode: 0o600 });
    say(`${plan.name} is up`);
  }

  private get managerUrl(): string {
    return `http://127.0.0.1:${this.options.ports.http}`;
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
