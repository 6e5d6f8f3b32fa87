/** What `traceparent` says of the caller's span. */
export interface TraceParent {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** 1: the caller keeps the trace. */
  readonly traceFlags: 0 | 1;
}

const HEADER = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const LENGTH_MAX = 512;

/** Reads the header (W3C Trace Context, section 3.2); undefined for what is none, which is to be ignored. */
export function parseTraceParent(header: string | undefined): TraceParent | undefined {
  if (header === undefined || header.length > LENGTH_MAX) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = HEADER.exec(header) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: (Number.parseInt(flags, 16) & 1) === 1 ? 1 : 0 };
}
