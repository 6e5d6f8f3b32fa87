import type pino from 'pino';

/** Signals this close together are one: on Ctrl-C a terminal, npm and the start script each send theirs. */
const SAME_SIGNAL_MS = 700;
/** Whatever is not closed by then is left to the operating system. */
const SHUTDOWN_MS_MAX = 2800;

/**
 * Ends the process on SIGINT, SIGTERM or SIGHUP: `close` is awaited for at most 2.8 s and the exit code is 0; a second signal exits
 * at once. An error that nobody caught is logged, and the process exits with 1: after it, nothing is known to be right.
 */
export function exitOnSignals(close: () => Promise<void>, log: pino.Logger): void {
  let signalledAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (signalledAt !== undefined) {
      if (now - signalledAt < SAME_SIGNAL_MS) return;
      log.warn({ code: 'app.killed' }, 'stopped at once by a second signal');
      process.exit(130);
    }
    signalledAt = now;
    log.info({ code: 'app.stopping', signal }, 'stopping: closing publishers and viewers (again to stop at once)');
    setTimeout(() => {
      log.warn({ code: 'app.stop-timeout' }, 'not everything closed in time');
      process.exit(0);
    }, SHUTDOWN_MS_MAX);
    close().then(
      () => {
        log.info({ code: 'app.stopped' }, 'stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ code: 'app.stop-failed', err: error }, 'stopped, but not cleanly');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

/** Logs what nobody caught and exits with 1. */
export function exitOnUncaught(log: pino.Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ code: 'app.uncaught', origin, err: error }, 'a fault that nobody caught: the process ends');
    process.exit(1);
  });
}
