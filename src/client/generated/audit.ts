// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { CallOptions, Page, Transport } from '../transport.ts';

export interface Audit {
  id: string;
  /** When it was made */
  at: string;
  /** `key:ID (NAME)`; `session of` it; `token:ID` for a join token; `anybody` */
  who: string;
  address: string;
  /** The id of the operation */
  action: string;
  /** A path below `/api/v1` */
  target: string;
  app?: string;
  before?: unknown;
  after?: unknown;
}

export interface ListAuditQuery {
  /** How many items at most */
  limit?: number;
  /** `nextCursor` of the page before */
  cursor?: string;
  /** Words in who, address, action, app and target, all of them; case does not matter */
  search?: string;
}

export interface AuditApi {
  /** Look at the log of changes. Who changed what when, by this API; the newest first. The newest 2,000 are kept. `search` finds words in who, address, action, app and target. A key for single apps sees what concerns them. */
  readonly list: (query?: ListAuditQuery, options?: CallOptions) => Promise<Page<Audit>>;
}

export const auditApi = (send: Transport): AuditApi => ({
  list: (query, options) => send({ method: 'GET', path: '/audit', query, ...options }),
});
