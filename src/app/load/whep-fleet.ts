import { createHmac, randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { type MonotonicMs, monotonicMs } from '../../core/mod.ts';
import { type Kernel, loadKernel, type SrtpProfile } from '../../io/mod.ts';
import type { IceCrypto } from '../../protocols/ice/mod.ts';
import { WhepHttp } from './whep-http.ts';

const TICK_MS = 20;
const KERNEL_TICK_EACH = 3;

/** How the viewers of a load behave. */
export interface WhepFleetOptions {
  readonly url: URL;
  readonly viewers: number;
  /** Viewers between their offer and the end of DTLS at a time; the others wait for their turn. */
  readonly joining: number;
  /** Whether probes ask for lost packets again. */
  readonly nack: boolean;
  /** Offered in DTLS; default: all. */
  readonly srtpProfiles?: readonly SrtpProfile[];
  readonly token?: string;
}

/** A viewer as its fleet calls it. */
export interface FleetMember {
  /** Its turn to join. It calls `fleet.joined` when that is over, well or not. */
  begin(): void;
  stun(source: { readonly ip: string; readonly port: number }, bytes: Uint8Array, now: MonotonicMs): void;
  rtp(bytes: Uint8Array, arrivalUs: number, now: MonotonicMs): void;
  rtcp(bytes: Uint8Array, now: MonotonicMs): void;
  connected(profile: SrtpProfile, now: MonotonicMs): void;
  closed(reason: string): void;
  /** Called each 20 ms. */
  wake(now: MonotonicMs): void;
}

/** What the viewers of one load share: the kernel with a socket for each of them, HTTP connections, the clock, and the queue of those that wait to join. */
export class WhepFleet {
  readonly kernel: Kernel;
  readonly http: WhepHttp;
  readonly options: WhepFleetOptions;
  /** Host addresses for the offers' candidates. */
  readonly addresses: readonly string[];
  private readonly members = new Set<FleetMember>();
  private readonly bySocket = new Map<number, FleetMember>();
  private readonly bySession = new Map<number, FleetMember>();
  private readonly waiting: FleetMember[] = [];
  private readonly ending = new Set<Promise<void>>();
  private readonly ticker: NodeJS.Timeout;
  /** What the kernel's microseconds are ahead of performance.now(). */
  private readonly kernelAheadMs: number = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  private joining = 0;
  private ticks = 0;

  /** Throws an Error that says what to install where there is no kernel. */
  constructor(options: WhepFleetOptions) {
    const module = loadKernel();
    if (module.unavailable !== undefined) throw new Error(`whep.unavailable: ${module.unavailable}`);
    this.options = options;
    this.addresses = localAddresses(options.url);
    this.http = new WhepHttp({ connections: options.joining, ...(options.token === undefined ? {} : { token: options.token }) });
    this.kernel = new module.Kernel(
      {
        stun: (socket, source, bytes) => this.bySocket.get(socket)?.stun(source, bytes, nowMs()),
        rtp: (session, bytes, arrivalUs) => this.bySession.get(session)?.rtp(bytes, arrivalUs, nowMs()),
        rtcp: (session, bytes) => this.bySession.get(session)?.rtcp(bytes, nowMs()),
        connected: (session, profile) => this.bySession.get(session)?.connected(profile, nowMs()),
        closed: (session, reason) => this.bySession.get(session)?.closed(reason),
        datagram: () => undefined,
        drained: () => undefined,
      },
      {
        sessionsMax: options.viewers,
        segmentationOffload: 'auto',
        ...(options.srtpProfiles === undefined ? {} : { srtpProfiles: options.srtpProfiles }),
      },
    );
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  /** A new viewer: it begins at once, or when one of those that are joining is done. */
  add(member: FleetMember): void {
    this.members.add(member);
    this.waiting.push(member);
    // Its constructor is still running.
    queueMicrotask(() => this.beginNext());
  }

  /** A viewer is connected or has failed: the next one may begin. */
  joined(): void {
    this.joining--;
    this.beginNext();
  }

  /** A socket of a viewer's own. */
  bind(member: FleetMember): { readonly socket: number; readonly port: number } {
    const bound = this.bindAny();
    this.bySocket.set(bound.socket, member);
    return bound;
  }

  own(session: number, member: FleetMember): void {
    this.bySession.set(session, member);
  }

  /** The viewer is done. */
  remove(member: FleetMember, socket: number | undefined, session: number | undefined): void {
    if (session !== undefined) {
      this.bySession.delete(session);
      this.kernel.removeSession(session);
    }
    if (socket !== undefined) {
      this.bySocket.delete(socket);
      this.kernel.unbind(socket);
    }
    this.members.delete(member);
    const place = this.waiting.indexOf(member);
    if (place >= 0) this.waiting.splice(place, 1);
  }

  /** All viewers are closed: ends their sessions' requests and the kernel. */
  async close(): Promise<void> {
    await Promise.allSettled(this.ending);
    clearInterval(this.ticker);
    this.kernel.close();
    this.http.close();
  }

  /** Ends a session at the server, then calls `done`. A server that is gone has no sessions left to end. */
  end(session: URL, done: () => void): void {
    const request = this.http.end(session).then(done, done);
    this.ending.add(request);
    void request.then(() => this.ending.delete(request));
  }

  /** The kernel's time as performance.now() would have given it. */
  toMs(kernelUs: number): number {
    return kernelUs / 1000 - this.kernelAheadMs;
  }

  private bindAny(): { readonly socket: number; readonly port: number } {
    try {
      return this.kernel.bind('::', 0);
    } catch {
      // A machine without IPv6.
      return this.kernel.bind('0.0.0.0', 0);
    }
  }

  private beginNext(): void {
    while (this.joining < this.options.joining) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.joining++;
      next.begin();
    }
  }

  private tick(): void {
    if (this.ticks++ % KERNEL_TICK_EACH === 0) this.kernel.tick();
    const now = nowMs();
    for (const member of this.members) member.wake(now);
  }
}

const nowMs = (): MonotonicMs => monotonicMs(performance.now());

/** A server on this machine is reached by loopback alone; others by what addresses there are. */
function localAddresses({ hostname }: URL): readonly string[] {
  if (hostname === 'localhost' || hostname.startsWith('127.')) return ['127.0.0.1'];
  if (hostname === '[::1]') return ['::1'];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0).map(({ address }) => address);
}

/** For ICE. */
export const whepCrypto: IceCrypto = {
  hmacSha1: (key, data) => new Uint8Array(createHmac('sha1', key).update(data).digest()),
  randomBytes: (size) => new Uint8Array(randomBytes(size)),
};
