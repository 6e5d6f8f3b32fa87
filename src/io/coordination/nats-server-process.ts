import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Logger } from 'pino';
import { SluiceError } from '../../core/mod.ts';
import { type NatsServerTls, type NatsServerUsers, natsServerConfig } from './nats-server-config.ts';

const PROGRAM = 'nats-server';
/** Where Debian puts it, which is not on everybody's PATH. */
const MORE_PATH = ['/usr/local/sbin', '/usr/sbin'];
const USER = 'sluice';
/** The password is random and long, and in a file that only its owner reads. */
const EXPECTED_WARNINGS = ['Plaintext passwords detected', 'found in connect proto, but user required from cert'];
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5000;
const RESTART_MS_MIN = 250;
const RESTART_MS_MAX = 10_000;
/** A server that ran so long is started again at once when it ends. */
const SETTLED_MS = 30_000;
const POLL_MS = 50;
const LINE_LENGTH_MAX = 2000;

export interface NatsServerProcessOptions {
  /** Everything of the server's is in here: made with mode 0700. */
  readonly folder: string;
  readonly host: string;
  /** 0 takes a free one, which stays the same over restarts of the server. */
  readonly port: number;
  readonly tls?: NatsServerTls & NatsServerUsers;
  /** Default `nats-server`, from the PATH. */
  readonly program?: string;
  readonly log: Logger;
}

/**
 * A nats-server from the PATH with JetStream in a folder of ours, started again whenever it ends. Clients need the user and the password, which is made
 * once and kept in the folder (mode 0600); with TLS, also a certificate with the name of a user who is let in.
 */
export class NatsServerProcess {
  readonly user: string = USER;
  readonly password: string;
  readonly url: string;
  private readonly options: NatsServerProcessOptions;
  private readonly configFile: string;
  private readonly pidFile: string;
  private readonly port: number;
  private child: ChildProcess | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private restartMs = RESTART_MS_MIN;
  private isStopping = false;

  private constructor(options: NatsServerProcessOptions, port: number) {
    const { folder, host, tls } = options;
    this.options = options;
    this.configFile = join(folder, 'nats-server.conf');
    this.pidFile = join(folder, 'nats-server.pid');
    this.password = ensurePassword(join(folder, 'password'));
    this.url = `${tls === undefined ? 'nats' : 'tls'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.port = port;
    this.writeConfig(tls);
  }

  /** Resolves as soon as clients can connect. Rejects with a SluiceError that tells what to do: the program is missing, the port is taken. */
  static async start(options: NatsServerProcessOptions): Promise<NatsServerProcess> {
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 });
      chmodSync(options.folder, 0o700);
    } catch (cause) {
      throw new SluiceError('nats.folder', `the folder ${options.folder} of ${PROGRAM} cannot be made: ${(cause as Error).message}`, {
        cause,
      });
    }
    const server = new NatsServerProcess(options, options.port === 0 ? await freePort(options.host) : options.port);
    await server.endOrphan();
    await server.launch(true);
    return server;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Has the server read its certificates again: for new connections, those that there are stay. */
  reloadTls(): void {
    this.child?.kill('SIGHUP');
  }

  /** Lets exactly these in from now on: the server closes the connections of all others. Only of one with TLS. */
  admit(users: readonly string[]): void {
    const { tls } = this.options;
    if (tls === undefined) return;
    this.writeConfig({ ...tls, users });
    this.child?.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.restartTimer);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      child.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      child.kill('SIGTERM');
    });
  }

  private writeConfig(tls: NatsServerProcessOptions['tls']): void {
    const { folder, host } = this.options;
    const config = natsServerConfig({
      name: 'sluice',
      host,
      port: this.port,
      storeFolder: join(folder, 'jetstream'),
      user: USER,
      password: this.password,
      ...(tls === undefined ? {} : { tls }),
    });
    writePrivate(this.configFile, `${config}pid_file: ${JSON.stringify(this.pidFile)}\n`);
  }

  /** Resolves when the server says that it is ready; rejects, on the first start only, when it ends before that. */
  private launch(isFirst: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const { program = PROGRAM, folder } = this.options;
      const env = { ...process.env, PATH: [process.env['PATH'] ?? '', ...MORE_PATH].join(delimiter) };
      const child = spawn(program, ['-c', this.configFile], { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, env });
      this.child = child;
      const startedMs = performance.now();
      const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
      let lastTrouble = '';
      let isReady = false;
      onLines(child, (line) => {
        if (isTrouble(line)) lastTrouble = line;
        this.logLine(line);
        if (!line.includes('Server is ready') || isReady) return;
        isReady = true;
        clearTimeout(timer);
        resolve();
      });
      let isOver = false;
      const over = (error: SluiceError): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        if (isFirst && !isReady) reject(error);
        else this.ended(error, performance.now() - startedMs);
      };
      child.once('error', (cause) => over(notStarted(cause)));
      child.once('close', (code, signal) => over(hasEnded(code, signal, lastTrouble)));
    });
  }

  private ended(error: SluiceError, ranMs: number): void {
    if (this.isStopping) return;
    if (ranMs > SETTLED_MS) this.restartMs = RESTART_MS_MIN;
    this.options.log.error({ code: error.code, restartMs: this.restartMs }, `${error.message}; it is started again`);
    this.restartTimer = setTimeout(() => void this.launch(false).catch(() => undefined), this.restartMs);
    this.restartMs = Math.min(RESTART_MS_MAX, 2 * this.restartMs);
  }

  private logLine(line: string): void {
    const { log } = this.options;
    if (line.includes('[FTL]') || line.includes('[ERR]')) log.error({ from: PROGRAM }, line);
    else if (line.includes('[WRN]') && !EXPECTED_WARNINGS.some((expected) => line.includes(expected))) log.warn({ from: PROGRAM }, line);
    else log.debug({ from: PROGRAM }, line);
  }

  /** A server that outlived the process that had started it holds the port and the folder. */
  private async endOrphan(): Promise<void> {
    const pid = Number(readText(this.pidFile));
    if (!Number.isInteger(pid) || pid <= 1 || !this.isOurs(pid)) return;
    this.options.log.warn({ pid }, `ending the ${PROGRAM} that a process before this one left behind`);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      try {
        process.kill(pid, signal);
      } catch {
        return;
      }
      const until = performance.now() + STOP_MS_MAX;
      while (this.isOurs(pid) && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (!this.isOurs(pid)) return;
    }
  }

  /** By its command line, which only Linux shows as a file: elsewhere the taken port is the error that tells. */
  private isOurs(pid: number): boolean {
    return readText(`/proc/${pid}/cmdline`).split('\0').includes(this.configFile);
  }
}

function notStarted(cause: Error): SluiceError {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
    return new SluiceError('nats.not-started', `${PROGRAM} cannot be run: ${cause.message}`, { cause });
  return new SluiceError(
    'nats.missing',
    `${PROGRAM} is not on the PATH. Install it, e.g. on Debian or Ubuntu: apt-get install nats-server; on macOS: brew install nats-server; or name the servers of your own NATS`,
    { cause },
  );
}

function hasEnded(code: number | null, signal: NodeJS.Signals | null, trouble: string): SluiceError {
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  return new SluiceError('nats.ended', `${PROGRAM} ended ${how}${trouble === '' ? '' : `: ${trouble}`}`);
}

const isTrouble = (line: string): boolean => line.includes('[FTL]') || line.includes('[ERR]') || line.startsWith(`${PROGRAM}:`);

function onLines(child: ChildProcess, tell: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, LINE_LENGTH_MAX);
    for (const line of lines) tell(line.slice(0, LINE_LENGTH_MAX));
  });
}

function ensurePassword(file: string): string {
  const known = readText(file).trim();
  if (known !== '') return known;
  const password = randomBytes(24).toString('base64url');
  writePrivate(file, `${password}\n`);
  return password;
}

/** Written beside and renamed over, so that there is never a half of it, nor a moment in which others may read it. */
function writePrivate(file: string, text: string): void {
  const draft = `${file}.${process.pid}`;
  try {
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } catch (cause) {
    throw new SluiceError('nats.folder', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
