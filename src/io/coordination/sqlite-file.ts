import { chmodSync, closeSync, existsSync, type FSWatcher, openSync, statSync, watch } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { callOut } from './call-out.ts';
import { type SqliteFailure, sqliteFailure } from './sqlite-failure.ts';

/** A lock is waited for within the call only so long, since the event loop stands still meanwhile; after that the call is tried again later. */
const LOCK_WAIT_MS = 4;
const RETRY_MS = 12;
const CALL_MS_MAX = 3000;
const REOPEN_MS = 500;
const CALLS_WAITING_MAX = 4096;
/** Calls are done in turns of so long, with the event loop's other work between them. */
const TURN_MS_MAX = 8;
const FILE_CHECK_MS = 1000;
const PAGE_BYTES = 4096;

export interface SqliteFileOptions {
  readonly file: string;
  /** SQL that makes the tables where they are missing. */
  readonly schema: string;
  /** `normal` survives a loss of power as it was at some moment before; `off` may lose the file then. */
  readonly synchronous: 'normal' | 'off';
  readonly bytesMax: number;
  /** How often {@link SqliteFileListener.changed} looks for what other processes wrote. */
  readonly pollMs: number;
}

export interface SqliteFileListener {
  /** Something was written, by this object or by others; read it now. What it throws counts as a failure of the file. */
  changed(): void;
  /** The file works (again), or does not; told again when it does not for another reason. */
  reachable(isReachable: boolean, detail: string): void;
}

type Job<Value> = {
  readonly run: () => Value;
  readonly done: (result: { readonly ok: true; readonly value: Value } | ({ readonly ok: false } & SqliteFailure)) => void;
  readonly deadlineMs: number;
};

/**
 * One SQLite file that several processes of a machine share. Calls wait in line, are retried while the file is locked, and fail with words after
 * {@link CALL_MS_MAX}; a file that broke is opened again each {@link REOPEN_MS}.
 */
export class SqliteFile {
  private readonly options: SqliteFileOptions;
  private readonly listener: SqliteFileListener;
  private database: DatabaseSync | undefined;
  private alarm: FSWatcher | undefined;
  private statements = new Map<string, StatementSync>();
  private inode = 0;
  private jobs: Job<never>[] = [];
  private isReachable: boolean | undefined;
  private toldDetail = '';
  private lastError: unknown = new Error('not opened yet');
  private reopenAtMs = 0;
  private checkAtMs = 0;
  private dataVersion = -1;
  private watchers = 0;
  private timer: NodeJS.Timeout | undefined;
  private turn: NodeJS.Immediate | NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(options: SqliteFileOptions, listener: SqliteFileListener) {
    this.options = options;
    this.listener = listener;
  }

  /** Runs `work` in one transaction that may write, some time soon; all or nothing of it happens. */
  write<Value>(work: () => Value, done: Job<Value>['done']): void {
    this.enqueue(() => {
      const value = this.transaction('BEGIN IMMEDIATE', work);
      this.dataVersion = -1;
      return value;
    }, done);
  }

  /** Runs `work` over one state of the file, some time soon. */
  read<Value>(work: () => Value, done: Job<Value>['done']): void {
    this.enqueue(() => this.transaction('BEGIN', work), done);
  }

  /** Only within `work` of a call, or within `changed`. */
  all(sql: string, ...values: SQLInputValue[]): Record<string, SQLOutputValue>[] {
    return this.statement(sql).all(...values);
  }

  get(sql: string, ...values: SQLInputValue[]): Record<string, SQLOutputValue> | undefined {
    return this.statement(sql).get(...values);
  }

  /** Returns the row id of the last insertion. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.statement(sql).run(...values).lastInsertRowid);
  }

  /** Looks for changes until as many calls of {@link unfollow}. */
  follow(): void {
    this.watchers += 1;
    this.timer ??= setInterval(() => this.poll(), this.options.pollMs).unref();
  }

  unfollow(): void {
    this.watchers -= 1;
    if (this.watchers > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Calls `changed` as soon as the event loop comes to it, whether something changed or not. */
  lookAnew(): void {
    this.dataVersion = -1;
    setImmediate(() => this.poll());
  }

  /** One state of the file for all that `work` reads; only within `changed`. */
  readNow<Value>(work: () => Value): Value {
    return this.transaction('BEGIN', work);
  }

  /** Calls that wait fail as unavailable. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    const left = this.jobs;
    this.jobs = [];
    this.drop();
    setImmediate(() => {
      for (const job of left) job.done({ ok: false, failure: 'unavailable', detail: 'closed' });
    });
  }

  private enqueue<Value>(run: () => Value, done: Job<Value>['done']): void {
    const refusal = this.isClosed
      ? 'closed'
      : this.jobs.length >= CALLS_WAITING_MAX
        ? `${CALLS_WAITING_MAX} calls are waiting for it`
        : undefined;
    if (refusal !== undefined) {
      setImmediate(() => done({ ok: false, failure: 'unavailable', detail: `${this.options.file}: ${refusal}` }));
      return;
    }
    this.jobs.push({ run, done, deadlineMs: performance.now() + CALL_MS_MAX } as unknown as Job<never>);
    this.turn ??= setImmediate(() => this.work());
  }

  private work(): void {
    this.turn = undefined;
    const until = performance.now() + TURN_MS_MAX;
    let hasWritten = false;
    while (performance.now() < until) {
      const job = this.jobs[0];
      if (job === undefined) break;
      if (!this.attempt(job)) {
        this.turn = setTimeout(() => this.work(), RETRY_MS);
        break;
      }
      hasWritten = true;
    }
    if (hasWritten) this.poll();
    if (this.jobs.length > 0) this.turn ??= setImmediate(() => this.work());
  }

  /** False: to be tried again, for the file is locked. */
  private attempt(job: Job<never>): boolean {
    let result: Parameters<Job<never>['done']>[0];
    try {
      this.open();
      result = { ok: true, value: job.run() };
      this.tellReachable(true, '');
    } catch (error) {
      const failure = sqliteFailure(error, this.options.file);
      if (failure.failure === 'busy' && performance.now() < job.deadlineMs) return false;
      // A full disk stops writers only: whoever reads goes on.
      if (failure.failure === 'busy' || this.database === undefined || !isFull(error)) this.failed(error);
      result = { ok: false, ...failure };
    }
    this.jobs.shift();
    callOut(() => job.done(result));
    return true;
  }

  private transaction<Value>(begin: string, work: () => Value): Value {
    this.statement(begin).run();
    try {
      const value = work();
      this.statement('COMMIT').run();
      return value;
    } catch (error) {
      try {
        this.statement('ROLLBACK').run();
      } catch {
        // Some errors have rolled back already.
      }
      throw error;
    }
  }

  private statement(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      if (this.database === undefined) throw this.lastError;
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private poll(): void {
    if (this.isClosed || this.watchers === 0) return;
    try {
      this.open();
      this.checkFile();
      const version = Number(this.get('PRAGMA data_version')?.['data_version']);
      if (version !== this.dataVersion) {
        this.listener.changed();
        this.dataVersion = version;
      }
      this.tellReachable(true, '');
    } catch (error) {
      if (sqliteFailure(error, this.options.file).failure === 'busy' && this.isReachable === true && this.database !== undefined) return;
      this.failed(error);
    }
  }

  private open(): void {
    if (this.database !== undefined) return;
    const now = performance.now();
    if (this.isClosed || now < this.reopenAtMs) throw this.lastError;
    this.reopenAtMs = now + REOPEN_MS;
    const { file, schema, synchronous, bytesMax } = this.options;
    // SQLite gives its side files the mode of the file.
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    const database = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
    try {
      chmodSync(file, 0o600);
      database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA max_page_count = ${Math.floor(bytesMax / PAGE_BYTES)}`,
      );
      database.exec(`BEGIN IMMEDIATE; ${schema}; COMMIT`);
      this.inode = statSync(file).ino;
    } catch (error) {
      database.close();
      this.lastError = error;
      // Who opens a file for the first time, or closes it for the last, locks all of it for a moment.
      if (sqliteFailure(error, file).failure === 'busy') this.reopenAtMs = 0;
      throw error;
    }
    this.database = database;
    this.dataVersion = -1;
    this.listen();
  }

  /** Writers of all processes write to the log beside the file: where the system tells of it, nobody has to wait for the next look. */
  private listen(): void {
    try {
      this.alarm = watch(`${this.options.file}-wal`, { persistent: false }, () => this.poll());
      this.alarm.on('error', () => this.alarm?.close());
    } catch {
      // No more watches to be had: the looks at the file are enough.
    }
  }

  /** A file that was moved away or replaced goes on to exist for whoever has it open: nobody else would see what is written there. */
  private checkFile(): void {
    const now = performance.now();
    if (now < this.checkAtMs) return;
    this.checkAtMs = now + FILE_CHECK_MS;
    const inode = statSync(this.options.file, { throwIfNoEntry: false })?.ino;
    if (inode !== this.inode) throw new Error('it was moved away or replaced');
  }

  private failed(error: unknown): void {
    const { failure, detail } = sqliteFailure(error, this.options.file);
    if (this.database !== undefined || failure === 'busy') this.reopenAtMs = performance.now() + RETRY_MS;
    this.drop();
    this.lastError = error;
    this.tellReachable(false, detail);
  }

  private drop(): void {
    this.alarm?.close();
    this.alarm = undefined;
    this.statements.clear();
    try {
      this.database?.close();
    } catch {
      // It is broken already.
    }
    this.database = undefined;
  }

  private tellReachable(isReachable: boolean, detail: string): void {
    if (isReachable === this.isReachable && detail === this.toldDetail) return;
    this.isReachable = isReachable;
    this.toldDetail = detail;
    this.listener.reachable(isReachable, detail);
  }
}

const SQLITE_FULL = 13;
const isFull = (error: unknown): boolean => (error as { errcode?: number }).errcode === SQLITE_FULL;
