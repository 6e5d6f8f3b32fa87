import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SluiceError } from '../../core/mod.ts';
import { type DevNodePlan, devArguments, devEnvironment } from './dev-plan.ts';

export interface DevNodeOptions {
  readonly plan: DevNodePlan;
  /** The program's own entry file. */
  readonly program: string;
  readonly dataFolder: string;
  readonly managerUrl: string;
  readonly isFirst: boolean;
  /** For a node that has not joined yet. */
  readonly joinToken: string | undefined;
  /** A line for the person at the terminal. */
  readonly say: (line: string) => void;
  /** It ended without having been told to. */
  readonly ended: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/** Where people find a node. */
type DevNodePorts = Pick<DevNodePlan, 'httpPort' | 'rtmpPort'>;

/** A small machine on which others start, too. */
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 4_000;
const WARNING = 40;
const KEPT_LINES = 12;

/** One node of the cluster on this machine, in a process of its own. Its log is in its data folder; warnings are said here, too. */
export class DevNode {
  readonly plan: DevNodePlan;
  /** The admin key that its first start made. */
  adminKey: string | undefined;
  private readonly options: DevNodeOptions;
  private readonly child: ChildProcess;
  private readonly logFile: WriteStream;
  private readonly lastLines: string[] = [];
  private readonly closed: Promise<void>;
  private isStopping = false;
  private ports: DevNodePorts | undefined;
  private started: () => void = () => undefined;

  /** Starts its process. */
  constructor(options: DevNodeOptions) {
    const { plan, program, dataFolder, managerUrl, isFirst, joinToken } = options;
    this.options = options;
    this.plan = plan;
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    this.logFile = createWriteStream(join(dataFolder, 'node.log'), { flags: 'a', mode: 0o600 });
    // In a group of its own: Ctrl-C comes to this process alone, which then ends the nodes in order.
    this.child = spawn(process.execPath, [program, ...devArguments(plan, managerUrl, isFirst)], {
      cwd: dataFolder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...devEnvironment(plan, dataFolder, isFirst),
        ...(joinToken === undefined ? {} : { SLUICE_JOIN_TOKEN: joinToken }),
      },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.read(line));
    }
    this.closed = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.logFile.end();
        resolve();
        if (!this.isStopping) options.ended(code, signal);
      });
    });
  }

  /** Settles when the node listens; throws `SluiceError` `dev.node-failed` with what it said last. */
  async listening(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const isUp = await Promise.race([
      new Promise<boolean>((resolve) => {
        this.started = () => resolve(true);
      }),
      this.closed.then(() => false),
      new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), START_MS_MAX);
      }),
    ]);
    clearTimeout(timer);
    if (isUp) return;
    await this.stop();
    throw new SluiceError('dev.node-failed', `the node ${this.plan.name} did not start:\n${this.lastLines.join('\n')}`);
  }

  /** Those that it listens at; those of the plan before. */
  get listeningPorts(): DevNodePorts {
    return this.ports ?? this.plan;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.child.kill('SIGINT');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
    await this.closed;
    clearTimeout(timer);
  }

  /** Without a chance to close anything. */
  kill(): void {
    this.isStopping = true;
    this.child.kill('SIGKILL');
  }

  private read(line: string): void {
    this.adminKey ??= /New admin API key\s+(sk_\S+)/.exec(line)?.[1];
    if (this.adminKey === undefined || !line.includes(this.adminKey)) this.logFile.write(`${line}\n`);
    const entry = parsed(line);
    if (entry?.code === 'app.started') {
      this.ports = { httpPort: entry.httpPort ?? 0, rtmpPort: entry.rtmpPort ?? 0 };
      this.started();
    }
    this.lastLines.push(entry === undefined ? line : `${entry.code ?? ''} ${entry.msg ?? ''}`);
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
    if (entry !== undefined && (entry.level ?? 0) >= WARNING) this.options.say(`${this.plan.name}: ${entry.code ?? ''} ${entry.msg ?? ''}`);
  }
}

interface LogEntry {
  readonly level?: number;
  readonly code?: string;
  readonly msg?: string;
  /** Of `app.started`. */
  readonly httpPort?: number;
  readonly rtmpPort?: number;
}

function parsed(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogEntry;
  } catch {
    return undefined;
  }
}
