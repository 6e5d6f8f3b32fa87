import type { TSchema } from '@sinclair/typebox';

/** What a caller must be allowed: `public` is everybody (or, when reads are not public, `read`); `admin` is an admin key. */
export type Scope = 'public' | 'read' | 'admin';

/** One call of the API as data: routes, validation and the OpenAPI document are made from it. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'DELETE';
  /** Below `/api/v1`, with `:name` parameters. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly scope: Scope;
  readonly params?: TSchema;
  readonly query?: TSchema;
  /** Status and schema of the answer; 204 has no body. */
  readonly success: { readonly status: 200; readonly schema: TSchema } | { readonly status: 204 };
  /** Returns the body, or undefined for 204. Throws `ApiError`. */
  handle(context: OperationContext): unknown;
}

/** What a handler gets: values that have passed the operation's schemas. */
export interface OperationContext {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** Whether the caller may see what is not public: has a key, or is on loopback. */
  readonly isPrivileged: boolean;
}
