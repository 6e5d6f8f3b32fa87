import type { RelayReceiver } from '../../protocols/relay/mod.ts';
import type { HistogramValue } from '../latency-histogram.ts';
import { LatencyRing } from '../latency-ring.ts';
import { type NodeAnswer, NodeCalls, type NodeQuestion } from './node-calls.ts';
import { RelayLink } from './relay-link.ts';
import type { RelayClientOptions, RelayPull, RelayPullOptions, RelayTls, RelayUpstream, RelayWatch } from './relay-pull.ts';
import { tracedReceiver } from './traced-receiver.ts';

/** Counters (`…Total`) and gauges. */
export interface RelayClientStats {
  readonly connections: number;
  readonly pulls: number;
  readonly bytesReceivedTotal: number;
  /** Connections that broke, or could not be made. */
  readonly brokenTotal: number;
  /** From the holder's hub to this node's, over the last frames of each connection. */
  readonly hops: readonly { readonly node: string; readonly p50Ms: number; readonly p99Ms: number; readonly rttMs: number | undefined }[];
  /** The same of all frames of the present connections. */
  readonly links: readonly { readonly node: string; readonly latency: HistogramValue; readonly rttMs: number | undefined }[];
}

const TICK_MS = 250;

/** Pulls streams from other nodes: one connection to each, which all its streams share. And asks them. */
export class RelayClient {
  /** Shared with the links, so that their next connections have the certificate that is in use then. */
  private readonly options: { -readonly [Key in keyof RelayClientOptions]: RelayClientOptions[Key] };
  private readonly links = new Map<string, RelayLink>();
  private readonly calls: NodeCalls;
  private ticker: NodeJS.Timeout | undefined = undefined;
  private bytesOfClosed = 0;
  private brokenOfClosed = 0;

  constructor(options: RelayClientOptions) {
    this.options = { ...options };
    this.calls = new NodeCalls(() => this.options.tls);
  }

  /**
   * Pulls a rendition into `receiver`, from its assembler's position on, until it is refused, ended or closed; over broken connections. To change the
   * holder, close the pull and begin another one with the same receiver.
   */
  pull(options: RelayPullOptions, receiver: RelayReceiver): RelayPull {
    const link = this.linkTo(options.upstream);
    const { tracing } = this.options;
    return link.pull(options, tracing === undefined ? receiver : tracedReceiver(tracing, options, receiver));
  }

  /** Keeps a connection to a node, also without a stream; `broke` is called each time that it breaks, or cannot be made. */
  watch(upstream: RelayUpstream, broke: () => void): RelayWatch {
    return this.linkTo(upstream).watch(broke);
  }

  /** Asks another node by HTTP, at the port where it gives its streams. Rejects with `SluiceError` `relay.node-unreachable`. */
  ask(upstream: RelayUpstream, question: NodeQuestion): Promise<NodeAnswer> {
    return this.calls.ask(upstream, question);
  }

  /** Shows this certificate from the next connection on. */
  showCertificate(tls: RelayTls): void {
    this.options.tls = tls;
  }

  stats(): RelayClientStats {
    const links = [...this.links.values()];
    return {
      connections: links.filter(({ isOpen }) => isOpen).length,
      pulls: links.reduce((sum, { pulls }) => sum + pulls, 0),
      bytesReceivedTotal: links.reduce((sum, { bytesReceived }) => sum + bytesReceived, this.bytesOfClosed),
      brokenTotal: links.reduce((sum, { broken }) => sum + broken, this.brokenOfClosed),
      hops: links.map((link) => ({
        node: link.upstream.node,
        p50Ms: link.latency.quantile(0.5),
        p99Ms: link.latency.quantile(0.99),
        rttMs: link.rttMs,
      })),
      links: links.map(({ upstream, hops, rttMs }) => ({ node: upstream.node, latency: hops.value(), rttMs })),
    };
  }

  /** Ends all pulls and connections; receivers are told nothing. */
  close(): void {
    clearInterval(this.ticker);
    this.ticker = undefined;
    this.calls.close();
    for (const [key, link] of [...this.links]) this.drop(key, link);
  }

  private linkTo(upstream: RelayUpstream): RelayLink {
    const key = `${upstream.node} ${upstream.host}:${upstream.port} ${upstream.fingerprint ?? ''}`;
    let link = this.links.get(key);
    if (link === undefined) {
      link = new RelayLink(upstream, this.options, new LatencyRing());
      this.links.set(key, link);
    }
    this.ticker ??= setInterval(() => this.tick(), TICK_MS);
    return link;
  }

  private tick(): void {
    const now = this.options.clock.monotonic();
    for (const [key, link] of [...this.links]) {
      link.tick(now);
      if (link.isUnused(now)) this.drop(key, link);
    }
    if (this.links.size > 0) return;
    clearInterval(this.ticker);
    this.ticker = undefined;
  }

  private drop(key: string, link: RelayLink): void {
    this.links.delete(key);
    link.close();
    this.bytesOfClosed += link.bytesReceived;
    this.brokenOfClosed += link.broken;
  }
}
