import { monotonicMs } from '../../../core/mod.ts';
import { BandwidthEstimator, type BandwidthEstimatorOptions } from './bandwidth-estimator.ts';
import { keyframePace, PUMP_INTERVAL_MS } from './keyframe-pace.ts';

const PACKET_BYTES = 1200;
const FEEDBACK_MS = 50;
// Transport-wide feedback tells arrivals in steps of 250 µs (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.5).
const ARRIVAL_STEP_US = 250;
const RECORD = 8192;

/** A stream of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface LinkOptions {
  readonly capacityBps: number;
  readonly queueBytes?: number;
  readonly propagationMs?: number;
  readonly lossFraction?: number;
  readonly jitterMs?: number;
  readonly seed?: number;
}

interface QueuedPacket {
  readonly flow: SimulatedFlow | undefined;
  readonly sequenceNumber: number;
  readonly size: number;
  readonly sentUs: number;
}

/** A drop-tail queue before a link, in virtual time; flows and cross traffic share it. */
export class Bottleneck {
  capacityBps: number;
  lossFraction: number;
  crossTrafficBps = 0;
  nowMs = 0;
  readonly random: () => number;
  readonly propagationMs: number;
  private readonly jitterMs: number;
  private readonly queueBytesMax: number;
  private readonly flows: SimulatedFlow[] = [];
  private queue: QueuedPacket[] = [];
  private head = 0;
  private queuedBytes = 0;
  private freeUs = 0;
  private crossCreditBits = 0;

  constructor(options: LinkOptions) {
    this.capacityBps = options.capacityBps;
    this.lossFraction = options.lossFraction ?? 0;
    this.propagationMs = options.propagationMs ?? 25;
    this.queueBytesMax = options.queueBytes ?? Math.max(64_000, options.capacityBps / 8 / 2);
    this.jitterMs = options.jitterMs ?? 0;
    this.random = seededRandom(options.seed ?? 1);
  }

  get queueDelayMs(): number {
    return (this.queuedBytes * 8000) / this.capacityBps;
  }

  add(options: FlowOptions): SimulatedFlow {
    const flow = new SimulatedFlow(this, options);
    this.flows.push(flow);
    return flow;
  }

  send(packet: QueuedPacket): void {
    if (this.queuedBytes + packet.size > this.queueBytesMax) return;
    if (packet.flow !== undefined && this.random() < this.lossFraction) return;
    this.queue.push(packet);
    this.queuedBytes += packet.size;
  }

  /** Runs for `ms`, calling `each` once every millisecond. */
  run(ms: number, each?: (nowMs: number) => void): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs++;
      this.crossTraffic();
      for (const flow of this.flows) flow.step(this.nowMs);
      this.serve();
      each?.(this.nowMs);
    }
  }

  private crossTraffic(): void {
    this.crossCreditBits += this.crossTrafficBps / 1000;
    for (; this.crossCreditBits >= PACKET_BYTES * 8; this.crossCreditBits -= PACKET_BYTES * 8) {
      this.send({ flow: undefined, sequenceNumber: 0, size: PACKET_BYTES, sentUs: this.nowMs * 1000 });
    }
  }

  private serve(): void {
    const nowUs = this.nowMs * 1000;
    for (; this.head < this.queue.length; this.head++) {
      const packet = this.queue[this.head]!;
      const doneUs = Math.max(this.freeUs, packet.sentUs) + (packet.size * 8_000_000) / this.capacityBps;
      if (doneUs > nowUs) break;
      this.freeUs = doneUs;
      this.queuedBytes -= packet.size;
      packet.flow?.arrived(packet.sequenceNumber, doneUs + (this.propagationMs + this.random() * this.jitterMs) * 1000);
    }
    if (this.head > 4096) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }
}

export interface FlowOptions {
  /** 'elastic' sends as much as the estimate says; a number is a live stream of this bitrate, in frames, with a large one every two seconds. */
  readonly source: 'elastic' | number;
  readonly estimator?: Partial<BandwidthEstimatorOptions>;
  readonly startsAtMs?: number;
  readonly probes?: boolean;
  readonly feedbackLoss?: number;
  readonly feedbackJitterMs?: number;
}

interface PendingFeedback {
  readonly atMs: number;
  readonly first: number;
  readonly count: number;
}

/** A sender with an estimator, its receiver, and the feedback between them. */
export class SimulatedFlow {
  readonly estimator: BandwidthEstimator;
  source: 'elastic' | number;
  sentPackets = 0;
  paddingPackets = 0;
  arrivedBytes = 0;
  probes = 0;
  private readonly link: Bottleneck;
  private readonly options: FlowOptions;
  private readonly sentUs: Float64Array = new Float64Array(RECORD).fill(Number.NaN);
  private readonly arrivalUs: Float64Array = new Float64Array(RECORD).fill(Number.NaN);
  private readonly clockOffsetUs: number;
  private pending: PendingFeedback[] = [];
  private inFlight: { sequenceNumber: number; atUs: number }[] = [];
  private reportedTo = 0;
  private highest = -1;
  private late: number[] = [];
  private creditPackets = 0;
  private backlogPackets = 0;
  private frame = 0;
  private probeUntilMs = 0;
  private probeBps = 0;

  constructor(link: Bottleneck, options: FlowOptions) {
    this.link = link;
    this.options = options;
    this.source = options.source;
    this.estimator = new BandwidthEstimator(options.estimator);
    this.clockOffsetUs = Math.floor(link.random() * 1e9);
  }

  get estimateBps(): number {
    return this.estimator.estimateBps;
  }

  arrived(sequenceNumber: number, atUs: number): void {
    this.inFlight.push({ sequenceNumber, atUs });
    this.arrivedBytes += PACKET_BYTES;
  }

  step(nowMs: number): void {
    if (nowMs < (this.options.startsAtMs ?? 0)) return;
    this.produce(nowMs);
    if (nowMs % PUMP_INTERVAL_MS === 0) this.pump(nowMs);
    this.receive(nowMs);
    if (nowMs % FEEDBACK_MS === 0) this.report(nowMs);
    if (nowMs % 1000 === 0) this.estimator.tick(monotonicMs(nowMs));
    this.deliverFeedback(nowMs);
  }

  private produce(nowMs: number): void {
    if (this.source === 'elastic' || Math.floor((nowMs * 30) / 1000) === this.frame) return;
    this.frame = Math.floor((nowMs * 30) / 1000);
    // Of a GOP of 60 frames the first is eight times the others.
    const weight = this.frame % 60 === 1 ? (8 * 60) / 67 : 60 / 67;
    this.creditPackets += (this.source * weight) / 30 / 8 / PACKET_BYTES;
    const whole = Math.floor(this.creditPackets);
    this.creditPackets -= whole;
    this.backlogPackets += whole;
  }

  private pump(nowMs: number): void {
    const { source, estimateBps } = this;
    let packets: number;
    if (source === 'elastic') {
      this.creditPackets += this.perPump(Math.max(estimateBps, nowMs < this.probeUntilMs ? this.probeBps : 0));
      packets = Math.floor(this.creditPackets);
      this.creditPackets -= packets;
      this.send(packets, nowMs);
      return;
    }
    const pace = keyframePace({ streamBps: source, estimateBps, packetsBehind: this.backlogPackets, catchingUpMs: 0 });
    packets = Math.min(this.backlogPackets, pace);
    this.backlogPackets -= packets;
    this.send(packets, nowMs);
    if (nowMs >= this.probeUntilMs) return;
    const padding = Math.max(0, Math.ceil(this.perPump(this.probeBps)) - packets);
    this.paddingPackets += padding;
    this.send(padding, nowMs);
  }

  private perPump(bps: number): number {
    return (bps * PUMP_INTERVAL_MS) / 8000 / PACKET_BYTES;
  }

  private send(packets: number, nowMs: number): void {
    for (let count = 0; count < packets; count++) {
      const sequenceNumber = this.sentPackets++;
      this.sentUs[sequenceNumber % RECORD] = nowMs * 1000;
      this.arrivalUs[sequenceNumber % RECORD] = Number.NaN;
      this.link.send({ flow: this, sequenceNumber, size: PACKET_BYTES, sentUs: nowMs * 1000 });
    }
  }

  private receive(nowMs: number): void {
    const waiting = [];
    for (const packet of this.inFlight) {
      if (packet.atUs > nowMs * 1000) {
        waiting.push(packet);
        continue;
      }
      const atUs = Math.round((packet.atUs + this.clockOffsetUs) / ARRIVAL_STEP_US) * ARRIVAL_STEP_US;
      this.arrivalUs[packet.sequenceNumber % RECORD] = atUs;
      if (packet.sequenceNumber < this.reportedTo) this.late.push(packet.sequenceNumber);
      this.highest = Math.max(this.highest, packet.sequenceNumber);
    }
    this.inFlight = waiting;
  }

  private report(nowMs: number): void {
    const { link, options } = this;
    const first = Math.min(this.reportedTo, ...this.late);
    this.late = [];
    const count = this.highest + 1 - first;
    if (count <= 0) return;
    this.reportedTo = this.highest + 1;
    if (link.random() < (options.feedbackLoss ?? 0)) return;
    this.pending.push({ atMs: nowMs + link.propagationMs + link.random() * (options.feedbackJitterMs ?? 0), first, count });
  }

  private deliverFeedback(nowMs: number): void {
    const due = this.pending.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.pending = this.pending.filter(({ atMs }) => atMs > nowMs);
    for (const { first, count } of due.sort((a, b) => a.atMs - b.atMs)) {
      const take = (from: Float64Array): Float64Array =>
        Float64Array.from({ length: count }, (_, index) => from[(first + index) % RECORD]!);
      const sizes = new Uint16Array(count).fill(PACKET_BYTES);
      const samples = { firstSequenceNumber: first & 0xffff, count, sentUs: take(this.sentUs), arrivalUs: take(this.arrivalUs), sizes };
      this.estimator.feedback(samples, 2 * this.link.propagationMs + this.link.queueDelayMs, monotonicMs(nowMs));
    }
    if (this.options.probes !== false) this.probe(nowMs);
  }

  private probe(nowMs: number): void {
    const probe = this.estimator.wantsProbe(monotonicMs(nowMs));
    if (probe === undefined) return;
    this.probes++;
    this.probeBps = probe.bitrateBps;
    this.probeUntilMs = nowMs + probe.durationMs;
  }
}
