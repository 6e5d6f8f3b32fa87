import pino from 'pino';
import pretty from 'pino-pretty';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type LogFormat = 'auto' | 'pretty' | 'json';

/** Never written, wherever they turn up in a log line's object. */
const SECRET_PATHS = ['key', 'token', 'authorization', '*.key', '*.token', '*.authorization', '*.headers.authorization'];

/** The process's logger, on standard output. `auto` is pretty on a terminal and JSON elsewhere. Lines are written at once, so none is lost at exit. */
export function createLog(level: LogLevel, format: LogFormat): pino.Logger {
  const options: pino.LoggerOptions = { level, base: null, redact: { paths: SECRET_PATHS, censor: '***' } };
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY === true);
  if (!isPretty) return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 1, sync: true }));
  const colorize = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
  return pino(options, pretty({ colorize, sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' }));
}
