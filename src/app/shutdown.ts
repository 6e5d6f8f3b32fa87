import type pino from 'pino';

/** Signals this close together are one: on Ctrl-C a terminal, npm and the start script each send theirs. */
const SAME_SIGNAL_MS = 700;
/** Whatever is not closed by then is left to the operating system. */
const SHUTDOWN_MS_MAX = 2800;

type State = 'running' | 'draining' | 'stopping';

/** Leads the clients away before the process ends; undefined when there is nothing to be done. Settles when they have gone, or have had their time. */
type Drain = () => Promise<void> | undefined;

/** Ends the process without a signal: why, for the log, and with which exit code (0 unless given). */
type End = (why: string, exitCode?: number) => void;

/**
 * Ends the process on SIGINT, SIGTERM or SIGHUP: `close` is awaited for at most 2.8 s and the exit code is 0; a second signal exits
 * at once. On SIGTERM, `drain` goes before it, and a second signal ends that. An error that nobody caught is logged, and the process exits with 1: after it,
 * nothing is known to be right. Returns what ends the process in the same way without a signal.
 */
export function exitOnSignals(close: () => Promise<void>, log: pino.Logger, drain: Drain = () => undefined): End {
  let signalledAt: number | undefined;
  let state: State = 'running';
  const stop = (why: string, exitCode = 0): void => {
    if (state === 'stopping') return;
    state = 'stopping';
    log.info({ code: 'app.stopping', signal: why }, 'stopping: closing publishers and viewers (again to stop at once)');
    closeAndExit(close, exitCode, log);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    const isSame = signalledAt !== undefined && now - signalledAt < SAME_SIGNAL_MS;
    signalledAt = isSame ? signalledAt : now;
    if (isSame) return;
    if (state === 'stopping') {
      log.warn({ code: 'app.killed' }, 'stopped at once by a second signal');
      process.exit(130);
    }
    const drained = state === 'running' && signal === 'SIGTERM' ? drain() : undefined;
    if (drained === undefined) {
      stop(signal);
      return;
    }
    state = 'draining';
    log.info({ code: 'app.draining', signal }, 'draining before the end (again to stop now)');
    void drained.then(() => stop(signal));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return stop;
}

function closeAndExit(close: () => Promise<void>, exitCode: number, log: pino.Logger): void {
  setTimeout(() => {
    log.warn({ code: 'app.stop-timeout' }, 'not everything closed in time');
    process.exit(exitCode);
  }, SHUTDOWN_MS_MAX);
  close().then(
    () => {
      log.info({ code: 'app.stopped' }, 'stopped');
      process.exit(exitCode);
    },
    (error: unknown) => {
      log.error({ code: 'app.stop-failed', err: error }, 'stopped, but not cleanly');
      process.exit(1);
    },
  );
}

/** Logs what nobody caught and exits with 1. */
export function exitOnUncaught(log: pino.Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ code: 'app.uncaught', origin, err: error }, 'a fault that nobody caught: the process ends');
    process.exit(1);
  });
}
