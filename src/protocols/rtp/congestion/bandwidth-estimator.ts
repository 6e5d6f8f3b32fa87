import { type BitrateBps, bitrateBps, type MonotonicMs } from '../../../core/mod.ts';
import { ArrivalGroups } from './arrival-groups.ts';
import { DelayRateControl, type Throughput } from './delay-rate-control.ts';
import { DelayTrend } from './delay-trend.ts';
import { LossRateControl } from './loss-rate-control.ts';
import { type BandwidthUsage, OveruseDetector } from './overuse-detector.ts';
import { PacketTrains } from './packet-trains.ts';
import { type Probe, ProbePlan } from './probe-plan.ts';
import { ProvenRate } from './proven-rate.ts';
import { QueueDelay } from './queue-delay.ts';
import { RateMeter } from './rate-meter.ts';
import { SeenPackets } from './seen-packets.ts';

/** The packets that one transport-wide feedback reports on, joined with the sender's record of them. All borrowed until the call returns. */
export interface FeedbackSamples {
  /** Transport-wide sequence number (16 bits) of the first entry; the others follow one by one. */
  readonly firstSequenceNumber: number;
  /** How many entries of the arrays are meant. */
  readonly count: number;
  /** When each packet left, in microseconds of the sender's clock; NaN when unknown: such an entry is passed over. */
  readonly sentUs: Float64Array;
  /** When each packet arrived, in microseconds of the receiver's clock; NaN when it was reported lost. */
  readonly arrivalUs: Float64Array;
  readonly sizes: Uint16Array;
}

/** Where {@link BandwidthEstimator} begins and what it stays within, in bits per second. */
export interface BandwidthEstimatorOptions {
  readonly startBps: BitrateBps;
  readonly minBps: BitrateBps;
  readonly maxBps: BitrateBps;
}

const DEFAULTS: BandwidthEstimatorOptions = { startBps: bitrateBps(600_000), minBps: bitrateBps(50_000), maxBps: bitrateBps(50_000_000) };
const ACKED_WINDOW_MS = 500;
// At overuse the rate counts that the link gives now, not before its queue grew; a thin flow has too few packets in so short a time.
const OVERUSE_WINDOW_MS = 200;
const OVERUSE_WINDOW_BPS_MIN = 400_000;
const LIMITED_FRACTION = 0.7;
// What stands so long in a queue is what the link let through, whoever filled it (RFC 8698 section 4.2 takes the queueing delay itself as the signal).
const FILLED_QUEUE_MS = 150;
const PROBE_SENT_FRACTION = 0.8;
// A keyframe's or newcomer's burst this much above the estimate measures the link as well as a probe.
const BURST_FRACTION = 1.5;
// libwebrtc's figures: a train that arrives at less than 90 % of its rate filled the link, of which 95 % are to be used.
const SATURATED_FRACTION = 0.9;
const SATURATED_USE = 0.95;
const SATURATED_MS = 300;
const SATURATED_BURST_FRACTION = 1.3;
// Until its queue is gone and the filter has seen that.
const BURST_MS = 1000;
const PROBE_LOSS_MAX = 0.1;
// A jump like this between the two clocks is no queue: one of them was set, or the feedback is garbage. After so long a pause, too, what was
// measured before is of no use.
const CLOCK_JUMP_US = 10_000_000;
const TIME_US_MAX = Number.MAX_SAFE_INTEGER;
const RTT_MS_MAX = 10_000;
const SILENCE_MS = 1000;
const SILENCE_FACTOR = 0.8;

/**
 * Send-side estimate of the bandwidth to one viewer after draft-ietf-rmcat-gcc-02 (Google Congestion Control), with the trendline filter and
 * probing of libwebrtc. Give it every transport-wide feedback; for peers without transport-cc, receiver reports and REMB. About 4 KB; any
 * input is allowed: what cannot be is passed over, and `estimateBps` is always within the options' bounds.
 */
export class BandwidthEstimator {
  /** Bits per second beyond which more would be of no use to the viewer: probes stop there. Set it from {@link RenditionVerdict.wantedBps}. */
  wantedBps: BitrateBps;
  private readonly options: BandwidthEstimatorOptions;
  private readonly seen: SeenPackets = new SeenPackets();
  private readonly groups: ArrivalGroups = new ArrivalGroups();
  private readonly trend: DelayTrend = new DelayTrend();
  private readonly detector: OveruseDetector = new OveruseDetector();
  private readonly queue: QueueDelay = new QueueDelay();
  private readonly trains: PacketTrains = new PacketTrains();
  private readonly acked: RateMeter = new RateMeter();
  private readonly sent: RateMeter = new RateMeter();
  private readonly delayRate: DelayRateControl;
  private readonly lossRate: LossRateControl = new LossRateControl();
  private readonly probes: ProbePlan = new ProbePlan();
  private readonly proven: ProvenRate = new ProvenRate();
  private readonly throughput: { -readonly [Field in keyof Throughput]: Throughput[Field] } = {
    ackedBps: Number.NaN,
    overuseBps: Number.NaN,
    isApplicationLimited: true,
    isBurst: false,
    queueMs: 0,
  };
  private clockOffsetUs = Number.NaN;
  private lastSentUs = Number.NaN;
  private feedbackMs = Number.NaN;
  private rttMs = 0;
  private rembBps = Number.POSITIVE_INFINITY;
  private saturatedBps = 0;
  private saturatedMs = Number.NEGATIVE_INFINITY;
  private burstMs = Number.NEGATIVE_INFINITY;
  // Of the feedback in hand.
  private packets = 0;
  private lost = 0;
  private probedSum = 0;
  private probedCount = 0;
  private isOverused = false;
  private delayUsMin = Number.POSITIVE_INFINITY;

  constructor(options: Partial<BandwidthEstimatorOptions> = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.wantedBps = this.options.maxBps;
    this.delayRate = new DelayRateControl(this.options.startBps);
  }

  /** Bits per second that may be sent to the viewer: the smaller of the delay-based and the loss-based rate (§6), whole and within the bounds. */
  get estimateBps(): BitrateBps {
    // Without transport-wide feedback nothing is known of the delay but what REMB says of it.
    const delayBps = this.hasFeedback ? this.delayRate.bps : Math.min(this.rembBps, this.options.maxBps);
    const lossBps = this.hasFeedback || this.lossRate.bps < Number.POSITIVE_INFINITY ? this.lossRate.bps : this.options.startBps;
    return bitrateBps(Math.round(Math.max(this.options.minBps, Math.min(delayBps, lossBps))));
  }

  /** What the delay said last. */
  get usage(): BandwidthUsage {
    return this.detector.usage;
  }

  /** Fraction lost of the newest few hundred packets, 0..1. */
  get fractionLost(): number {
    return this.lossRate.fractionLost;
  }

  /** The highest rate that really arrived in the last 10 to 20 s, by the stream itself or a probe; no more than is worth the estimate. */
  provenBps(now: MonotonicMs): BitrateBps {
    return bitrateBps(Math.round(Math.min(this.options.maxBps, this.proven.bps(now))));
  }

  /** Takes a transport-wide feedback. Entries that were reported before, late or twice, count once. `rttMs`: newest round-trip time. */
  feedback(samples: FeedbackSamples, rttMs: number, now: MonotonicMs): void {
    const estimateBps = this.estimateBps;
    const rtt = rttMs >= 0 ? Math.min(rttMs, RTT_MS_MAX) : 0;
    this.feedbackMs = now;
    this.rttMs = rtt;
    this.begin();
    const count = Math.min(samples.count, samples.sentUs.length, samples.arrivalUs.length, samples.sizes.length);
    for (let index = 0; index < count; index++) {
      const sentUs = samples.sentUs[index] ?? Number.NaN;
      if (!(sentUs >= 0 && sentUs <= TIME_US_MAX)) continue;
      const sequenceNumber = samples.firstSequenceNumber + index;
      this.packet(sequenceNumber, sentUs, samples.arrivalUs[index] ?? Number.NaN, samples.sizes[index] ?? 0, estimateBps, now);
    }
    if (this.packets === 0) return;
    this.measure(estimateBps, now);
    this.control(estimateBps, rtt, now);
  }

  /** Takes REMB's bitrate (draft-alvestrand-rmcat-remb-03): an upper bound as long as the peer sends no transport-wide feedback. */
  remb(bps: number): void {
    if (!(bps >= 0)) return;
    this.rembBps = bps;
    this.lossRate.startAt(this.options.startBps);
    // The receiver measured the delay itself; only losses hold the rate below what it found.
    if (!this.hasFeedback && this.lossRate.fractionLost < PROBE_LOSS_MAX) this.lossRate.raiseTo(Math.min(bps, this.options.maxBps));
  }

  /** Takes the fraction lost (0..1) of a receiver report (RFC 3550 §6.4.1), for peers without transport-wide feedback: §6 alone. */
  receiverReport(fractionLost: number, rttMs: number, now: MonotonicMs): void {
    if (this.hasFeedback || !(fractionLost >= 0)) return;
    this.lossRate.startAt(this.options.startBps);
    this.lossRate.report(fractionLost, this.estimateBps, rttMs >= 0 ? Math.min(rttMs, RTT_MS_MAX) : 0, now);
    this.lossRate.boundBy(this.options.maxBps);
  }

  /** To be called about once a second while packets go out: without feedback (a path that stopped) the estimate falls by a fifth each time. */
  tick(now: MonotonicMs): void {
    if (!this.hasFeedback || now - this.feedbackMs < SILENCE_MS) return;
    this.delayRate.bps = Math.max(this.options.minBps, Math.min(this.delayRate.bps, this.options.maxBps) * SILENCE_FACTOR);
  }

  /**
   * The probe to send now, or undefined; ask at each feedback or about ten times a second. One that is returned counts as begun: send at its rate,
   * in portions of 5 ms, until its time is over. Media that goes out anyway is part of it.
   */
  wantsProbe(now: MonotonicMs): Probe | undefined {
    if (!this.hasFeedback || this.detector.usage !== 'normal' || this.lossRate.fractionLost > PROBE_LOSS_MAX) return undefined;
    const wantedBps = Math.min(this.wantedBps, this.options.maxBps);
    return this.probes.ask(this.estimateBps, this.proven.bps(now), wantedBps, this.rttMs, now);
  }

  private get hasFeedback(): boolean {
    return !Number.isNaN(this.feedbackMs);
  }

  private begin(): void {
    this.packets = 0;
    this.lost = 0;
    this.probedSum = 0;
    this.probedCount = 0;
    this.isOverused = false;
    this.delayUsMin = Number.POSITIVE_INFINITY;
  }

  private packet(sequenceNumber: number, sentUs: number, arrivalUs: number, size: number, estimateBps: number, now: number): void {
    const hasArrived = arrivalUs >= 0 && arrivalUs <= TIME_US_MAX;
    const verdict = this.seen.report(sequenceNumber, !hasArrived);
    if (verdict === 'known') return;
    if (hasArrived) this.watchClocks(sentUs, arrivalUs - sentUs);
    if (verdict === 'new') {
      this.packets++;
      this.sent.add(sentUs, size);
    }
    if (!hasArrived) {
      this.lost++;
      return;
    }
    this.acked.add(arrivalUs, size);
    if (this.trains.add(sentUs, arrivalUs, size)) this.train(estimateBps, now);
    if (!this.groups.add(sentUs, arrivalUs)) return;
    const arrivalMs = this.groups.arrivalUs / 1000;
    this.trend.add(this.groups.sentDeltaMs, this.groups.arrivalDeltaMs, arrivalMs);
    const usage = this.detector.detect(this.trend.offsetMs, this.groups.sentDeltaMs, arrivalMs);
    if (usage === 'overuse') this.isOverused = true;
  }

  private watchClocks(sentUs: number, offsetUs: number): void {
    const isJump = Math.abs(offsetUs - this.clockOffsetUs) > CLOCK_JUMP_US || Math.abs(sentUs - this.lastSentUs) > CLOCK_JUMP_US;
    this.lastSentUs = sentUs;
    this.clockOffsetUs = offsetUs;
    this.delayUsMin = isJump ? offsetUs : Math.min(this.delayUsMin, offsetUs);
    if (!isJump) return;
    this.queue.reset();
    this.groups.reset();
    this.trend.reset();
    this.detector.reset();
    this.trains.reset();
    this.acked.reset();
    this.sent.reset();
  }

  private train(estimateBps: number, now: number): void {
    const { sentBps, arrivedBps } = this.trains.rates;
    const isSaturated = arrivedBps < SATURATED_FRACTION * sentBps;
    if (isSaturated && sentBps >= PROBE_SENT_FRACTION * estimateBps) {
      this.saturatedBps = arrivedBps;
      this.saturatedMs = now;
      if (sentBps >= SATURATED_BURST_FRACTION * estimateBps) this.burstMs = now;
    }
    const { askedBps } = this.probes;
    const isProbe = askedBps > 0 && sentBps >= PROBE_SENT_FRACTION * askedBps;
    if (!isProbe && sentBps < BURST_FRACTION * estimateBps) return;
    this.probedSum += isSaturated ? SATURATED_USE * arrivedBps : Math.min(sentBps, arrivedBps);
    this.probedCount++;
  }

  private measure(estimateBps: number, now: number): void {
    const ackedBps = this.acked.bps(ACKED_WINDOW_MS);
    const shortBps = this.acked.bps(OVERUSE_WINDOW_MS);
    const isSaturated = now - this.saturatedMs < SATURATED_MS;
    const currentBps = shortBps >= OVERUSE_WINDOW_BPS_MIN ? shortBps : ackedBps;
    this.throughput.ackedBps = ackedBps;
    this.throughput.overuseBps = isSaturated ? Math.max(currentBps || 0, this.saturatedBps) : currentBps;
    this.throughput.isBurst = now - this.burstMs < BURST_MS;
    if (this.delayUsMin < Number.POSITIVE_INFINITY) this.queue.add(this.delayUsMin, now);
    const isFilled = isSaturated || this.queue.ms > FILLED_QUEUE_MS;
    this.throughput.isApplicationLimited = !isFilled && !(this.sent.bps(ACKED_WINDOW_MS) >= LIMITED_FRACTION * estimateBps);
    this.throughput.queueMs = this.queue.ms;
    if (ackedBps > 0) this.proven.add(ackedBps, now);
  }

  private control(estimateBps: number, rttMs: number, now: number): void {
    if (this.probedCount > 0) this.probed(this.probedSum / this.probedCount, now);
    const usage = this.isOverused ? 'overuse' : this.detector.usage;
    this.delayRate.update(usage, this.throughput, rttMs, now);
    this.delayRate.bps = Math.min(this.options.maxBps, Math.max(this.options.minBps, this.delayRate.bps));
    this.lossRate.add(this.packets, this.lost, estimateBps, rttMs, now);
    this.lossRate.releaseAbove(this.delayRate.bps);
    const reducedBps = this.estimateBps;
    if (reducedBps >= estimateBps) return;
    this.probes.reduced(estimateBps, reducedBps, now);
    this.proven.cut(reducedBps);
  }

  private probed(bps: number, now: number): void {
    this.delayRate.probed(bps, now);
    if (this.lossRate.fractionLost < PROBE_LOSS_MAX) this.lossRate.raiseTo(bps);
    this.proven.add(bps, now);
    this.probes.answered(bps, now);
  }
}
