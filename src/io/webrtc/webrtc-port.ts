import type { IceTcpServer } from './ice-tcp-server.ts';
import type { Kernel } from './kernel.ts';

/** For a number that is free for both UDP and TCP. */
const ATTEMPTS_MAX = 10;

/** A UDP socket of the kernel's and its number. */
export interface WebrtcPort {
  readonly socket: number;
  readonly port: number;
}

/**
 * Opens one number for UDP and, where `tcp` is given, for TCP. Port 0 is any number: where TCP's is taken, another one. When it throws (errors with
 * Node's codes), neither is open.
 */
export async function openWebrtcPort(kernel: Kernel, tcp: IceTcpServer | undefined, host: string, port: number): Promise<WebrtcPort> {
  for (let attempt = 1; ; attempt++) {
    const bound = bind(kernel, host, port);
    try {
      await tcp?.listen(bound.port);
      return bound;
    } catch (error) {
      kernel.unbind(bound.socket);
      const mayRetry = port === 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!mayRetry || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** `*` is every address. */
function bind(kernel: Kernel, host: string, port: number): WebrtcPort {
  if (host !== '*') return kernel.bind(host, port);
  try {
    return kernel.bind('::', port);
  } catch (error) {
    // A machine without IPv6.
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw error;
    return kernel.bind('0.0.0.0', port);
  }
}
