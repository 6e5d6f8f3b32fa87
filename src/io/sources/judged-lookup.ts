import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { UrlPolicy, UrlRefused } from '../../access/mod.ts';
import { SluiceError } from '../../core/mod.ts';

/** The URL, or where it leads, must not be reached; `code` is `sources.refused-` and the policy's. */
export class SourceRefused extends SluiceError {
  constructor(refused: Pick<UrlRefused, 'code' | 'reason'>) {
    super(`sources.refused-${refused.code}`, refused.reason);
  }
}

/** Resolves a name for tests; the system's resolver otherwise. */
export type Resolve = (
  name: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Name resolution for a socket: it connects to exactly the addresses that were judged, and fails with {@link SourceRefused} when one of them must
 * not be reached. A name is not resolved a second time in between, so an answer of the DNS that changes cannot lead elsewhere.
 */
export function judgedLookup(policy: UrlPolicy, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { family: 0, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      for (const { address } of addresses) {
        const refused = policy.judgeAddress(address);
        if (refused !== undefined) return callback(new SourceRefused({ code: refused.code, reason: `${hostname}: ${refused.reason}` }), []);
      }
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? '', first?.family);
    });
  };
}

/** The address to reach a host at, for programs that take nothing else. Rejects with {@link SourceRefused}, or the resolver's error. */
export function judgedAddress(policy: UrlPolicy, host: string, resolve?: Resolve): Promise<string> {
  return new Promise((settle, reject) => {
    judgedLookup(policy, resolve)(host, { all: false }, (error, address) => {
      if (error === null) settle(address as string);
      else reject(error);
    });
  });
}
