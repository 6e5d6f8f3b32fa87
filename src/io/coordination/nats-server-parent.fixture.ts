// A process that runs a nats-server and can be killed.
import pino from 'pino';
import { NatsServerProcess } from './nats-server-process.ts';

const server = await NatsServerProcess.start({
  folder: process.argv[2]!,
  host: '127.0.0.1',
  port: Number(process.argv[3]),
  log: pino({ level: 'silent' }),
});
process.send?.(server.pid);
setInterval(() => undefined, 1000);
