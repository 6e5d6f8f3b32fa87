import type { StreamRef } from '../../core/mod.ts';
import type { TraceSpan, Tracing } from './tracing.ts';

/**
 * Traces of viewers and publishers of WebRTC, from the request to the first packet of media. What is asked for while a join is {@link during} belongs
 * to it: the offer's way to the session, and the wait for a stream, begin within that call.
 */
export class JoinTraces {
  private readonly tracing: Tracing;
  private present: TraceSpan | undefined = undefined;

  constructor(tracing: Tracing) {
    this.tracing = tracing;
  }

  /** A request for a session came. */
  begin(kind: 'publish' | 'play', ref: StreamRef, traceparent: string | undefined): TraceSpan {
    const name = kind === 'play' ? 'whep.join' : 'whip.join';
    const attributes = { 'sluice.app': ref.app, 'sluice.stream': ref.path };
    return this.tracing.begin(name, { kind: 'server', attributes, traceparent });
  }

  during<Value>(join: TraceSpan | undefined, act: () => Value): Value {
    this.present = join;
    try {
      return act();
    } finally {
      this.present = undefined;
    }
  }

  /** The join that is under way in this very call. */
  get current(): TraceSpan | undefined {
    return this.present;
  }

  /** A stream is waited for, as part of the present join, if there is one. */
  beginWait(ref: StreamRef): TraceSpan {
    return this.tracing.begin('stream.wait', { parent: this.present, attributes: { 'sluice.app': ref.app, 'sluice.stream': ref.path } });
  }
}
