export { JoinTraces } from './join-traces.ts';
export { type OtlpTracingOptions, openTracing } from './otlp-tracing.ts';
export type { TraceSpan, Tracing } from './tracing.ts';
