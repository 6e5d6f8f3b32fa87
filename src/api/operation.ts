import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TSchema } from '@sinclair/typebox';
import type { Change, Grant } from './grant.ts';
import type { ProblemCode } from './problem.ts';

/**
 * What a caller must be allowed: `public` is everybody (or, when reads are not public, `read`); `admin` is an admin key; `token`: the operation itself
 * looks at a credential of its own; `app`: an admin key, one of the app in the path, or to look, one that may read; `app-read`: as `read`, and also a key
 * of apps, which sees what is theirs.
 */
export type Scope = 'public' | 'read' | 'admin' | 'app' | 'app-read' | 'token';

/** One call of the API as data: routes, validation and the OpenAPI document are made from it. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, with `:name` parameters. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly scope: Scope;
  /** Whether a request shows what lets it in without a key, for what it names and no more. */
  readonly admits?: (params: Readonly<Record<string, string>>, query: Readonly<Record<string, unknown>>) => boolean;
  /** Of the scope `token`: looks at its credential before the body is read, for who has none is told of nothing else. Rejects with `ApiError`. */
  readonly checkCredential?: (caller: ApiCaller) => Promise<void>;
  /** The group in the document; `streams` when it is not said. */
  readonly tag?: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** The handler checks the body itself, with errors that name the key: its schema is for the document alone. */
  readonly checksBody?: true;
  /** The largest body, in bytes; absent: what the configuration says. */
  readonly bodyBytesMax?: number;
  /** Request headers that it takes, for the document. */
  readonly headers?: TSchema;
  /** Status and schema of the answer; 204 has no body. With `mediaType` it is no JSON: the handler returns its bytes. */
  readonly success: { readonly status: 200 | 201; readonly schema: TSchema; readonly mediaType?: string } | { readonly status: 204 };
  /** Answers that its handler gives beside that one when it takes over, by status: what they mean. */
  readonly otherAnswers?: Readonly<Record<number, string>>;
  /** The problems that it can answer with, beside those that follow from its scope and schemas: see `problemCodesOf`. */
  readonly errors?: readonly ProblemCode[];
  /** For the document; what is left out is made of the examples in the schemas. */
  readonly examples?: { readonly body?: unknown; readonly answer?: unknown };
  /** Returns the body (or its {@link JsonText}) or a promise of it, undefined for 204. Throws `ApiError`. What has an `ETag` that the caller knows is not sent again. */
  handle(context: OperationContext): unknown;
}

/** An answer that its handler has made into JSON already, as the operation's schema has it: for lists that are asked for a great deal. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The same without a look at its body, for a node that refuses it whatever that says. */
export const withoutBodyCheck = (operation: Operation): Operation =>
  operation.body === undefined ? operation : { ...operation, checksBody: true };

/** What a handler gets: values that have passed the operation's schemas. */
export interface OperationContext {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** Undefined for an operation without a body. */
  readonly body: unknown;
  /** Who asks, and how. */
  readonly caller: ApiCaller;
  /** Whether the caller may see what is not public, of all that `grant` lets it see: has a key, or is on loopback. */
  readonly isPrivileged: boolean;
  readonly grant: Grant;
  /** Says what was changed, for the log of changes; without secrets. */
  readonly note: (change: Change) => void;
  readonly answer: OperationAnswer;
}

export interface ApiCaller {
  /** The peer's address; IPv4 as `192.0.2.1`. */
  readonly address: string;
  /** Whether the request came by TLS to this very server. */
  readonly isTls: boolean;
  /** Whether the caller is on this very machine. */
  readonly isLocal: boolean;
  /** Whether nobody on the way can read along: TLS, or loopback. */
  readonly isPrivate: boolean;
  /** A request header by its lower-case name. */
  header(name: string): string | undefined;
}

/** What an operation may do with its answer beside returning it. */
export interface OperationAnswer {
  header(name: string, value: string): void;
  /** Leaves the whole answer to the handler, from the status line on: for one that goes on for as long as the client listens. */
  takeOver(): { readonly request: IncomingMessage; readonly response: ServerResponse };
}
