// Enough for the shortest train: 40 ms of bursts 2.5 ms apart.
const BURSTS = 18;
// Packets sent this close to each other left in one pump.
const BURST_US = 2500;
// A longer silence ends a train: what is measured across it is the silence.
const GAP_US_MAX = 25_000;
const SPAN_US_MIN = 40_000;
const PACKETS_MIN = 8;
// Arriving much faster than sent means that the packets waited together somewhere (Wi-Fi, a suspended receiver): no measure of a rate.
const COMPRESSION_MAX = 2;

const FIELDS = 4;
const SENT = 0;
const ARRIVAL = 1;
const BYTES = 2;
const PACKETS = 3;

/** How fast a train of packets left and how fast it arrived, both in bits per second. */
export interface TrainRates {
  readonly sentBps: number;
  readonly arrivedBps: number;
}

/**
 * Measures dense trains of packets: over the newest bursts that span 40 ms and 8 packets, the rate they were sent at and the rate they arrived
 * at. Sent faster than they arrive, they show the capacity of the bottleneck; else they show that it has at least this much.
 */
export class PacketTrains {
  /** Of the train that ends with the newest complete burst. The object is reused. */
  readonly rates: { -readonly [Field in keyof TrainRates]: TrainRates[Field] } = { sentBps: 0, arrivedBps: 0 };
  // A ring of bursts, their fields one after the other in one array (a plain one: a small typed array is mostly its head). Bytes and packets
  // are running sums, so that a train's are a difference.
  private readonly bursts: number[] = Array.from({ length: BURSTS * FIELDS }, () => 0);
  private newest = 0;
  private count = 0;
  private burstSentUs = 0;
  private bytesSum = 0;
  private packetsSum = 0;

  /** Takes a packet that arrived. True when it began a burst and the ones before it make a train: see `rates`. */
  add(sentUs: number, arrivalUs: number, sizeBytes: number): boolean {
    const hasBurst = this.count > 0;
    if (hasBurst && sentUs < this.burstSentUs) return false;
    if (hasBurst && sentUs - this.burstSentUs < BURST_US) {
      this.tally(sizeBytes);
      this.write(Math.max(arrivalUs, this.bursts[this.newest + ARRIVAL] ?? 0));
      return false;
    }
    const isTrain = hasBurst && this.measure();
    if (hasBurst && sentUs - this.burstSentUs > GAP_US_MAX) this.count = 0;
    this.tally(sizeBytes);
    this.begin(sentUs, arrivalUs);
    return isTrain;
  }

  reset(): void {
    this.count = 0;
  }

  private tally(sizeBytes: number): void {
    this.bytesSum += sizeBytes;
    this.packetsSum++;
  }

  private begin(sentUs: number, arrivalUs: number): void {
    this.burstSentUs = sentUs;
    this.newest = (this.newest + FIELDS) % (BURSTS * FIELDS);
    this.count = Math.min(BURSTS, this.count + 1);
    this.bursts[this.newest + SENT] = sentUs;
    this.write(arrivalUs);
  }

  private write(arrivalUs: number): void {
    this.bursts[this.newest + ARRIVAL] = arrivalUs;
    this.bursts[this.newest + BYTES] = this.bytesSum;
    this.bursts[this.newest + PACKETS] = this.packetsSum;
  }

  private measure(): boolean {
    for (let age = 1; age < this.count; age++) {
      const first = (this.newest - age * FIELDS + BURSTS * FIELDS) % (BURSTS * FIELDS);
      if (this.since(first, SENT) >= SPAN_US_MIN && this.since(first, PACKETS) >= PACKETS_MIN) return this.rate(first);
    }
    return false;
  }

  // The first burst's bytes are not counted: its last packet is where both clocks start.
  private rate(first: number): boolean {
    const bits = this.since(first, BYTES) * 8_000_000;
    const arrivedUs = this.since(first, ARRIVAL);
    if (!(arrivedUs > 0)) return false;
    this.rates.sentBps = bits / this.since(first, SENT);
    this.rates.arrivedBps = bits / arrivedUs;
    return this.rates.arrivedBps <= this.rates.sentBps * COMPRESSION_MAX;
  }

  private since(first: number, field: number): number {
    return (this.bursts[this.newest + field] ?? 0) - (this.bursts[first + field] ?? 0);
  }
}
