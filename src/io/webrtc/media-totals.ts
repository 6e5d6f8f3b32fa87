import type { PublishSessionStats } from '../../protocols/webrtc/mod.ts';

/** What WebRTC sessions have lost and repaired since the start, those that are over too. */
export interface MediaCounts {
  /** Packets that viewers asked for again, and those of them that were still there to be sent. */
  readonly viewerLost: number;
  readonly retransmitted: number;
  readonly viewerKeyframeWishes: number;
  /** Media packets of publishers, those that they were asked for again, those that came so, and those that were given up. */
  readonly publisherPackets: number;
  readonly publisherNacked: number;
  readonly publisherRepaired: number;
  readonly publisherLost: number;
  readonly publisherKeyframeWishes: number;
}

const NOTHING: MediaCounts = {
  viewerLost: 0,
  retransmitted: 0,
  viewerKeyframeWishes: 0,
  publisherPackets: 0,
  publisherNacked: 0,
  publisherRepaired: 0,
  publisherLost: 0,
  publisherKeyframeWishes: 0,
};

/** Sums up over all sessions: viewers count as they go, publishers are asked, for the last time when they end. */
export class MediaTotals {
  private readonly past: { -readonly [Key in keyof MediaCounts]: number } = { ...NOTHING };

  /** A viewer asked for `asked` packets, of which `sent` were sent again. */
  retransmitted(asked: number, sent: number): void {
    this.past.viewerLost += asked;
    this.past.retransmitted += sent;
  }

  viewerWishedKeyframe(): void {
    this.past.viewerKeyframeWishes++;
  }

  /** A publisher is over. */
  ended(stats: PublishSessionStats | undefined): void {
    add(this.past, stats);
  }

  /** With the publishers that are there. */
  counts(present: Iterable<PublishSessionStats | undefined>): MediaCounts {
    const sum = { ...this.past };
    for (const stats of present) add(sum, stats);
    return sum;
  }
}

function add(sum: { -readonly [Key in keyof MediaCounts]: number }, stats: PublishSessionStats | undefined): void {
  for (const { packets, nacked, repaired, lost, keyframeRequests } of stats?.layers ?? []) {
    sum.publisherPackets += packets;
    sum.publisherNacked += nacked;
    sum.publisherRepaired += repaired;
    sum.publisherLost += lost;
    sum.publisherKeyframeWishes += keyframeRequests;
  }
}
