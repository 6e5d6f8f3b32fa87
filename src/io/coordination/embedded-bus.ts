import { BUS_MESSAGE_BYTES_MAX, type Bus, type BusReply } from '../../cluster/mod.ts';
import { callOut } from './call-out.ts';
import { isKey, matches, type Pattern, parsePattern } from './keys.ts';
import { SqliteFile } from './sqlite-file.ts';

const POLL_MS = 10;
const FILE_BYTES_MAX = 128 * 1024 * 1024;
/** Messages older than this are gone: whoever stood still for so long missed them. */
const KEPT_MS = 5000;
/** Also with more than {@link BYTES_KEPT_MAX} on the way: time for everybody's next few looks. */
const KEPT_MS_MIN = 200;
const BYTES_KEPT_MAX = 32 * 1024 * 1024;
const PRUNE_EACH_MS = 1000;
/** A process that serves says so this often, and is taken to be gone after so long a silence. */
const SERVING_EACH_MS = 500;
const SERVING_MS_MAX = 2500;
const MESSAGES_A_READ = 500;

// The file is only a meeting place: nothing in it is worth keeping over a restart of the machine.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, subject TEXT NOT NULL, receiver TEXT, sender TEXT, request INTEGER, at INTEGER NOT NULL,
    body BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS servers (subject TEXT NOT NULL, process TEXT NOT NULL, pid INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (subject, process)) WITHOUT ROWID;
`;

export interface EmbeddedBusOptions {
  readonly file: string;
  /** Names this object among all that share the file. */
  readonly id: string;
  readonly onReachable?: (isReachable: boolean, detail: string) => void;
}

interface Subscription {
  readonly pattern: Pattern;
  readonly handler: (subject: string, message: Uint8Array) => void;
}

interface Asked {
  readonly timer: NodeJS.Timeout;
  readonly done: (reply: BusReply) => void;
}

type Handler = (message: Uint8Array, reply: (answer: Uint8Array) => void) => void;

/** The bus of one machine, through a second SQLite file (mode 0600) whose rows live for seconds. */
export class EmbeddedBus implements Bus {
  private readonly id: string;
  private readonly file: SqliteFile;
  private readonly subscriptions = new Set<Subscription>();
  private readonly handlers = new Map<string, Set<Handler>>();
  private readonly asked = new Map<number, Asked>();
  private readonly connectedHandlers = new Set<(isConnected: boolean) => void>();
  private readonly servingTimer: NodeJS.Timeout;
  private requests = 0;
  private bytes = 0;
  private prunedAtMs = 0;
  /** The last message that was looked at; undefined: those that are there now are of before. */
  private seen: number | undefined;
  private mayBeAnother = false;
  private isReachable = false;

  constructor({ file, id, onReachable }: EmbeddedBusOptions) {
    this.id = id;
    this.file = new SqliteFile(
      { file, schema: SCHEMA, synchronous: 'off', bytesMax: FILE_BYTES_MAX, pollMs: POLL_MS },
      {
        changed: () => this.receive(),
        reachable: (isReachable, detail) => {
          this.mayBeAnother = true;
          onReachable?.(isReachable, detail);
          if (isReachable === this.isReachable) return;
          this.isReachable = isReachable;
          for (const handler of this.connectedHandlers) setImmediate(() => this.connectedHandlers.has(handler) && handler(isReachable));
        },
      },
    );
    this.file.follow();
    this.file.lookAnew();
    this.servingTimer = setInterval(() => this.announce(), SERVING_EACH_MS).unref();
  }

  publish(subject: string, message: Uint8Array): void {
    if (!isKey(subject) || message.length > BUS_MESSAGE_BYTES_MAX) return;
    this.file.write(
      () => this.send('message', subject, message, null, null),
      () => undefined,
    );
  }

  subscribe(pattern: string, handler: (subject: string, message: Uint8Array) => void): () => void {
    const subscription = { pattern: parsePattern(pattern), handler };
    this.subscriptions.add(subscription);
    return () => this.subscriptions.delete(subscription);
  }

  request(subject: string, message: Uint8Array, timeoutMs: number, done: (reply: BusReply) => void): void {
    if (!isKey(subject) || message.length > BUS_MESSAGE_BYTES_MAX) {
      setImmediate(() => done({ ok: false, failure: 'nobody' }));
      return;
    }
    this.requests += 1;
    const request = this.requests;
    const timer = setTimeout(() => this.settle(request, { ok: false, failure: this.isReachable ? 'timeout' : 'unavailable' }), timeoutMs);
    this.asked.set(request, { timer, done });
    this.file.write(
      () => {
        const known = this.file.all('SELECT process, pid FROM servers WHERE subject = ? AND until > ?', subject, now());
        const servers = known.filter(({ pid }) => isRunning(Number(pid)));
        const server = servers[request % servers.length];
        if (server === undefined) return false;
        this.send('request', subject, message, server['process'] as string, request);
        return true;
      },
      (result) => {
        if (!result.ok) this.settle(request, { ok: false, failure: 'unavailable' });
        else if (!result.value) this.settle(request, { ok: false, failure: 'nobody' });
      },
    );
  }

  serve(subject: string, handler: Handler): () => void {
    const { base } = parsePattern(subject);
    const handlers = this.handlers.get(base) ?? new Set();
    handlers.add(handler);
    this.handlers.set(base, handlers);
    this.announce();
    return () => {
      handlers.delete(handler);
      if (handlers.size > 0 || this.handlers.get(base) !== handlers) return;
      this.handlers.delete(base);
      this.file.write(
        () => this.file.run('DELETE FROM servers WHERE subject = ? AND process = ?', base, this.id),
        () => undefined,
      );
    };
  }

  onConnected(handler: (isConnected: boolean) => void): () => void {
    this.connectedHandlers.add(handler);
    setImmediate(() => this.connectedHandlers.has(handler) && handler(this.isReachable));
    return () => this.connectedHandlers.delete(handler);
  }

  /** Ends everything; requests that wait fail as unavailable. What was published just before may be lost. */
  close(): void {
    clearInterval(this.servingTimer);
    this.subscriptions.clear();
    this.handlers.clear();
    this.connectedHandlers.clear();
    this.file.close();
    for (const request of [...this.asked.keys()]) setImmediate(() => this.settle(request, { ok: false, failure: 'unavailable' }));
  }

  private send(
    kind: 'message' | 'request' | 'reply',
    subject: string,
    body: Uint8Array,
    receiver: string | null,
    request: number | null,
  ): void {
    this.beginHere();
    const at = now();
    this.file.run(
      'INSERT INTO messages (kind, subject, receiver, sender, request, at, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
      kind,
      subject,
      receiver,
      this.id,
      request,
      at,
      body,
    );
    this.bytes += body.length;
    if (at - this.prunedAtMs < PRUNE_EACH_MS && this.bytes < BYTES_KEPT_MAX) return;
    const keptMs = this.bytes >= BYTES_KEPT_MAX ? KEPT_MS_MIN : KEPT_MS;
    this.file.run('DELETE FROM messages WHERE at < ? OR at > ?', at - keptMs, at + KEPT_MS);
    this.file.run('DELETE FROM servers WHERE until < ? OR until > ?', at, at + KEPT_MS);
    this.prunedAtMs = at;
    this.bytes = 0;
  }

  private announce(): void {
    if (this.handlers.size === 0) return;
    this.file.write(
      () => {
        const until = now() + SERVING_MS_MAX;
        for (const subject of this.handlers.keys()) {
          this.file.run(
            'INSERT OR REPLACE INTO servers (subject, process, pid, until) VALUES (?, ?, ?, ?)',
            subject,
            this.id,
            process.pid,
            until,
          );
        }
      },
      () => undefined,
    );
  }

  private receive(): void {
    let after = this.beginHere();
    let rows: Record<string, unknown>[];
    do {
      rows = this.file.all(
        `SELECT id, kind, subject, sender, request, body FROM messages WHERE id > ? AND (receiver IS NULL OR receiver = ?) ORDER BY id LIMIT ${MESSAGES_A_READ}`,
        after,
        this.id,
      );
      for (const row of rows) {
        after = Number(row['id']);
        this.seen = after;
        callOut(() => this.deliver(row));
      }
    } while (rows.length === MESSAGES_A_READ);
  }

  /** Where to go on; the first use of the file decides what is of before and never looked at, and so does a new file. */
  private beginHere(): number {
    if (this.seen === undefined || this.mayBeAnother) {
      const last = Number(this.file.get("SELECT seq AS last FROM sqlite_sequence WHERE name = 'messages'")?.['last'] ?? 0);
      this.seen = Math.min(this.seen ?? last, last);
      this.mayBeAnother = false;
    }
    return this.seen;
  }

  private deliver(row: Record<string, unknown>): void {
    const subject = row['subject'] as string;
    const body = row['body'] as Uint8Array;
    if (row['kind'] === 'reply') {
      this.settle(Number(row['request']), { ok: true, value: body });
    } else if (row['kind'] === 'request') {
      this.answer(subject, body, row['sender'] as string, Number(row['request']));
    } else {
      for (const subscription of [...this.subscriptions]) {
        if (this.subscriptions.has(subscription) && matches(subscription.pattern, subject)) {
          callOut(() => subscription.handler(subject, body));
        }
      }
    }
  }

  private answer(subject: string, body: Uint8Array, sender: string, request: number): void {
    const handlers = [...(this.handlers.get(subject) ?? [])];
    let isAnswered = false;
    handlers[request % handlers.length]?.(body, (answer) => {
      if (isAnswered || answer.length > BUS_MESSAGE_BYTES_MAX) return;
      isAnswered = true;
      this.file.write(
        () => this.send('reply', subject, answer, sender, request),
        () => undefined,
      );
    });
  }

  private settle(request: number, reply: BusReply): void {
    const asked = this.asked.get(request);
    if (asked === undefined) return;
    this.asked.delete(request);
    clearTimeout(asked.timer);
    asked.done(reply);
  }
}

/** Milliseconds of a clock that all processes of the machine share and nobody sets. */
const now = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** Whether a process of this machine is there; one that was killed has said goodbye to nobody. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
