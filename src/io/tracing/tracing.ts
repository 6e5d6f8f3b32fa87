export type TraceAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that takes time, as part of a trace. */
export interface TraceSpan {
  /** What follows from this, as a parent of it. Names streams, nodes and codes; never keys, tokens or addresses of clients. */
  set(attributes: TraceAttributes): void;
  /** Something happened in between. */
  event(name: string): void;
  /** Once; `code` says why it failed. */
  end(code?: string): void;
}

export interface TraceBeginning {
  /** `server`: somebody asked for it from outside; `client`: this node asks another one. */
  readonly kind?: 'server' | 'client' | 'internal';
  readonly attributes?: TraceAttributes;
  /** The span that this one is part of. */
  readonly parent?: TraceSpan | undefined;
  /** `traceparent` of the request (W3C Trace Context), as it came; what cannot be read is left out. */
  readonly traceparent?: string | undefined;
}

/** Where spans begin. While nothing is traced there is no tracing at all, so whoever could tell asks for it first. */
export interface Tracing {
  begin(name: string, beginning?: TraceBeginning): TraceSpan;
  /** Sends what is left, for some seconds at most. */
  close(): Promise<void>;
}
