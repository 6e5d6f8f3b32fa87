import type { StreamRef } from '../core/mod.ts';
import type { AccessDecision, AccessGate, AccessRequest } from './access-gate.ts';
import type { LimitRefused } from './access-refusals.ts';
import type { AppFigures } from './app-figures.ts';
import type { AppLimits } from './app-limits.ts';

/** What the limits go by. */
export interface LimitedGatePorts {
  limitsOf(app: string): AppLimits;
  /** What all nodes use of it now, as far as this one knows. */
  usageOf(app: string): AppFigures;
  /** Whether the stream is published or held already, on any node: a second publisher is none more. */
  isPublished(ref: StreamRef): boolean;
  /** Whether the stream's last publisher was ended for its bitrate, a moment ago. */
  wasTooMuch(path: string): boolean;
}

/** Lets nobody in over the limits of an app: behind the gate that says who may, so that strangers learn nothing of them. */
export class LimitedGate implements AccessGate {
  private readonly inner: AccessGate;
  private readonly ports: LimitedGatePorts;

  constructor(inner: AccessGate, ports: LimitedGatePorts) {
    this.inner = inner;
    this.ports = ports;
  }

  admit(request: AccessRequest, decided: (decision: AccessDecision) => void): void {
    this.inner.admit(request, (decision) => {
      const refused = decision === 'allowed' ? this.judge(request) : undefined;
      decided(refused === undefined ? decision : { refused });
    });
  }

  /** With a limit for viewers, each has to be asked for. */
  isOpen(app: string): boolean {
    if (!this.inner.isOpen(app)) return false;
    const { viewers, bitrateOutBps } = this.ports.limitsOf(app);
    return viewers === undefined && bitrateOutBps === undefined;
  }

  asksForPage(app: string): boolean {
    return this.inner.asksForPage(app);
  }

  private judge(request: AccessRequest): LimitRefused | undefined {
    return request.act === 'publish' ? this.judgePublisher(request.ref) : this.judgeViewer(request);
  }

  private judgePublisher(ref: StreamRef): LimitRefused | undefined {
    const { ports } = this;
    const { streams, bitrateInBps } = ports.limitsOf(ref.app);
    if (streams === undefined && bitrateInBps === undefined) return undefined;
    if (ports.wasTooMuch(ref.path)) return 'limit-bitrate-in';
    // Who comes back to a stream that is held, or takes one over, brings nothing more.
    if (ports.isPublished(ref)) return undefined;
    const usage = ports.usageOf(ref.app);
    if (streams !== undefined && usage.streams >= streams) return 'limit-streams';
    return bitrateInBps !== undefined && usage.bitrateInBps >= bitrateInBps ? 'limit-bitrate-in' : undefined;
  }

  private judgeViewer({ ref, isViewing }: AccessRequest): LimitRefused | undefined {
    const { viewers, bitrateOutBps } = this.ports.limitsOf(ref.app);
    if (isViewing === true || (viewers === undefined && bitrateOutBps === undefined)) return undefined;
    const usage = this.ports.usageOf(ref.app);
    if (viewers !== undefined && usage.viewers >= viewers) return 'limit-viewers';
    return bitrateOutBps !== undefined && usage.bitrateOutBps >= bitrateOutBps ? 'limit-bitrate-out' : undefined;
  }
}
