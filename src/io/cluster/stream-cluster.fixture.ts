import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { mediaTime, streamRef, ticksToMs } from '../../core/mod.ts';
import type { Publication } from '../../hub/mod.ts';
import type { Ladder } from '../../transcode/mod.ts';
import { systemClock } from '../clock.ts';
import { TestCa } from '../relay/relay-certificates.fixture.ts';
import type { Source } from '../transcode/test-media.fixture.ts';
import { StreamNode, type StreamNodeOptions, TestMembers } from './stream-node.fixture.ts';

/** Nodes over one store in memory, which goes by the real clock; all have the same ladder unless they are given another. */
export class StreamCluster {
  readonly engine: MemoryEngine = new MemoryEngine();
  readonly members: TestMembers = new TestMembers();
  private readonly ca: TestCa;
  private readonly ladder: Ladder;
  private readonly endings: (() => void | Promise<void>)[] = [];

  private constructor(ca: TestCa, ladder: Ladder) {
    this.ca = ca;
    this.ladder = ladder;
    let at = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      this.engine.advance(now - at);
      at = now;
    }, 2);
    this.endings.push(() => clearInterval(timer));
  }

  static async make(ladder: Ladder): Promise<StreamCluster> {
    return new StreamCluster(await TestCa.make(), ladder);
  }

  async node(options: Omit<StreamNodeOptions, 'ladder'> & { readonly ladder?: Ladder }): Promise<StreamNode> {
    const tls = await this.ca.issue(options.id);
    const node = await StreamNode.start({ ladder: this.ladder, ...options }, tls, this.engine, this.members);
    this.endings.push(() => node.close());
    return node;
  }

  /** Publishes the source, which is so long, as `live/show` over and over, at the pace of its times. */
  publish({ hub }: StreamNode, { frames }: Source, seconds = 4): Publication {
    const publisher = { protocol: 'rtmp', address: '127.0.0.1', agent: '' } as const;
    const now = [systemClock.monotonic(), systemClock.wall()] as const;
    const publication = hub.publish(streamRef('live', 'show'), publisher, { evicted: () => undefined }, 'reject', ...now) as Publication;
    const startMs = performance.now();
    const firstMs = ticksToMs(frames[0]?.dts ?? mediaTime(0), frames[0]?.track.timescale ?? 1);
    let next = 0;
    const timer = setInterval(() => {
      for (;;) {
        const frame = frames[next % frames.length];
        if (frame === undefined) return;
        const shiftMs = Math.floor(next / frames.length) * seconds * 1_000;
        const { timescale } = frame.track;
        if (startMs + ticksToMs(frame.dts, timescale) - firstMs + shiftMs > performance.now()) return;
        const shift = (shiftMs * timescale) / 1_000;
        const shifted = { ...frame, dts: mediaTime(frame.dts + shift), pts: mediaTime(frame.pts + shift) };
        publication.write(shifted, systemClock.monotonic(), systemClock.wall());
        next++;
      }
    }, 5);
    this.endings.push(() => clearInterval(timer));
    return publication;
  }

  /** Ends everything, the newest first. */
  async close(): Promise<void> {
    for (const end of this.endings.splice(0).reverse()) await end();
  }
}
