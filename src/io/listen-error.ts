import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SluiceError } from '../core/mod.ts';

/** Where a listener wanted to listen, and the configuration key that says so. */
export interface ListenPlace {
  /** E.g. `HTTP`. */
  readonly what: string;
  readonly host: string;
  readonly port: number;
  /** E.g. `http.port`. */
  readonly key: string;
  /** E.g. `SLUICE_HTTP_PORT`. */
  readonly variable: string;
}

/** The host as `net` takes it: `*` is every address, which is what leaving it out means. */
export const listenHost = (host: string): { host?: string } => (host === '*' ? {} : { host });

/** A failure to listen in words that say what to do. Codes: `listen.port-in-use`, `listen.not-allowed`, `listen.bad-host`, `listen.failed`. */
export function listenError(cause: NodeJS.ErrnoException, place: ListenPlace): SluiceError {
  const { what, host, port, key, variable } = place;
  const hostKey = key.replace(/port$/, 'host');
  const change = `set ${key} in sluice.yaml or ${variable} to another port`;
  if (cause.code === 'EADDRINUSE') {
    const holder = portHolder(port);
    const by = holder === undefined ? 'another program' : holder;
    return new SluiceError('listen.port-in-use', `${what} port ${port} is in use by ${by}: stop that, or ${change}`, { cause });
  }
  if (cause.code === 'EACCES') {
    return new SluiceError('listen.not-allowed', `${what} may not listen on port ${port}: ports below 1024 need rights; ${change}`, {
      cause,
    });
  }
  if (cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN') {
    return new SluiceError(
      'listen.bad-host',
      `${what} cannot listen on "${host}", which is no address of this machine: set ${hostKey}, "*" for all`,
      { cause },
    );
  }
  return new SluiceError('listen.failed', `${what} cannot listen on ${host}:${port}: ${cause.message}`, { cause });
}

const LISTENING = '0A';

/** "node (process 123)" for who listens on a TCP port, as far as /proc tells this user; undefined elsewhere. */
function portHolder(port: number): string | undefined {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)));
    if (inodes.size === 0) return undefined;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsSocket(pid, inodes)) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`;
    }
  } catch {
    // Not Linux, or /proc is closed to us: the message does without.
  }
  return undefined;
}

function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readText(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) === true && columns[3] === LISTENING)
    .map((columns) => `socket:[${columns[9]}]`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
