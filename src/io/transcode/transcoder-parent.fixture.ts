// A process that has a transcoder and can be killed.
import pino from 'pino';
import { Transcoder } from './transcoder.ts';

const transcoder = Transcoder.warm(pino({ level: 'silent' }));
process.send?.(transcoder.pid);
setInterval(() => undefined, 1000);
