import type { Attributes, Context, Span, SpanKind, Tracer } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type pino from 'pino';
import { atMost } from '../at-most.ts';
import { parseTraceParent, type TraceParent } from './trace-parent.ts';
import type { TraceAttributes, TraceBeginning, TraceSpan, Tracing } from './tracing.ts';

export interface OtlpTracingOptions {
  /** `http://HOST:4318/v1/traces`. */
  readonly endpoint: string;
  /** 0 to 100, of the traces that begin here. */
  readonly samplePercent: number;
  /** Whether whoever sends `traceparent` says which trace a request is part of, and whether it is kept: anybody can send it, and name a trace that is always kept. */
  readonly trustCallers: boolean;
  readonly version: string;
  readonly nodeId: string;
  readonly log: pino.Logger;
  /** How long spans are gathered; 5 s unless given. */
  readonly delayMs?: number;
}

/** Spans that wait to be sent; more are dropped. */
const QUEUE_MAX = 4096;
const BATCH_MAX = 512;
const EXPORT_MS_MAX = 5_000;
const ATTRIBUTE_LENGTH_MAX = 256;
const CLOSE_MS_MAX = 3_000;

/** Traces by OpenTelemetry, sent by OTLP over HTTP as JSON. The library is loaded here and nowhere else, since most servers trace nothing. */
export async function openTracing(options: OtlpTracingOptions): Promise<Tracing> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const { endpoint, samplePercent, trustCallers, version, nodeId, log, delayMs = 5_000 } = options;
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'sluice', 'service.version': version, 'service.instance.id': nodeId }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(samplePercent / 100) }),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: told(new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_MS_MAX }), log),
        maxQueueSize: QUEUE_MAX,
        maxExportBatchSize: BATCH_MAX,
        scheduledDelayMillis: delayMs,
        exportTimeoutMillis: EXPORT_MS_MAX,
      }),
    ],
  });
  log.info({ code: 'tracing.on', endpoint: new URL(endpoint).origin }, 'joins and API calls are traced');
  return new OtlpTracing(api, provider.getTracer('sluice', version), trustCallers, () => provider.shutdown());
}

type Api = typeof import('@opentelemetry/api');

class OtlpTracing implements Tracing {
  private readonly api: Api;
  private readonly tracer: Tracer;
  private readonly trustsCallers: boolean;
  private readonly shutdown: () => Promise<void>;
  private readonly spans = new WeakMap<TraceSpan, Span>();

  constructor(api: Api, tracer: Tracer, trustsCallers: boolean, shutdown: () => Promise<void>) {
    this.api = api;
    this.tracer = tracer;
    this.trustsCallers = trustsCallers;
    this.shutdown = shutdown;
  }

  begin(name: string, { kind = 'internal', attributes = {}, parent, traceparent }: TraceBeginning = {}): TraceSpan {
    const kinds: Readonly<Record<typeof kind, SpanKind>> = {
      server: this.api.SpanKind.SERVER,
      client: this.api.SpanKind.CLIENT,
      internal: this.api.SpanKind.INTERNAL,
    };
    const caller = parseTraceParent(traceparent);
    const links = caller === undefined || this.trustsCallers ? [] : [{ context: { ...caller, isRemote: true } }];
    const context = this.context(parent, this.trustsCallers ? caller : undefined);
    const span = this.tracer.startSpan(name, { kind: kinds[kind], attributes: attributesOf(attributes), links }, context);
    const { ERROR } = this.api.SpanStatusCode;
    let isOver = false;
    const trace: TraceSpan = {
      set: (more) => void span.setAttributes(attributesOf(more)),
      event: (what) => void span.addEvent(what),
      end: (code) => {
        if (isOver) return;
        isOver = true;
        if (code !== undefined) span.setAttribute('error.type', code).setStatus({ code: ERROR, message: code });
        span.end();
      },
    };
    this.spans.set(trace, span);
    return trace;
  }

  close(): Promise<void> {
    return atMost(
      CLOSE_MS_MAX,
      this.shutdown().catch(() => undefined),
    );
  }

  private context(parent: TraceSpan | undefined, caller: TraceParent | undefined): Context {
    const { trace, ROOT_CONTEXT } = this.api;
    const own = parent === undefined ? undefined : this.spans.get(parent);
    if (own !== undefined) return trace.setSpan(ROOT_CONTEXT, own);
    return caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: true });
  }
}

const attributesOf = (attributes: TraceAttributes): Attributes => ({ ...attributes });

/** Says in the log when traces cannot be sent, and when they can again. */
function told(exporter: SpanExporter, log: pino.Logger): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const hasFailed = result.error !== undefined;
        if (hasFailed && !isFailing) log.warn({ code: 'tracing.export-failed', reason: result.error?.message }, 'traces cannot be sent');
        if (!hasFailed && isFailing) log.info({ code: 'tracing.export-works' }, 'traces can be sent again');
        isFailing = hasFailed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  };
}
