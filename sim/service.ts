import type { HubStream } from './hub-stream.ts';
import type { RelayPull } from './relay-pull.ts';

/** What whoever checks that viewers are served, and streams owned, has to look at: all else is as it was. */
export class Service {
  /** Streams with viewers whose sources are not known, or may have changed. */
  readonly unsettled: Set<HubStream> = new Set();
  /** Streams with a publisher of which it is not known that the store and their nodes say the same: that they are these nodes'. */
  readonly contested: Set<HubStream> = new Set();
  /** Those with a publisher, by path. */
  private readonly published = new Map<string, Set<HubStream>>();
  /** When everything was looked at last. */
  lookedAt = 0;
  /** What comes into a region from outside, by stream and region. */
  private readonly feeds = new Map<string, Set<RelayPull>>();
  /** Those of which there are several. */
  readonly doubled: Map<string, ReadonlySet<RelayPull>> = new Map();

  /** It has a publisher; another one, maybe. */
  publishes(stream: HubStream): void {
    const published = this.published.get(stream.path);
    if (published === undefined) this.published.set(stream.path, new Set([stream]));
    else published.add(stream);
    this.contested.add(stream);
  }

  publishesNoMore(stream: HubStream): void {
    const published = this.published.get(stream.path);
    if (published?.delete(stream) === true && published.size === 0) this.published.delete(stream.path);
    this.contested.delete(stream);
  }

  /** The store has another claim on it, or none any more, or a node was told so. */
  claimed(path: string): void {
    for (const stream of this.published.get(path) ?? []) this.contested.add(stream);
  }

  fed(pull: RelayPull): void {
    const key = keyOf(pull);
    let feeds = this.feeds.get(key);
    if (feeds === undefined) {
      feeds = new Set();
      this.feeds.set(key, feeds);
    }
    feeds.add(pull);
    if (feeds.size > 1) this.doubled.set(key, feeds);
  }

  /** Also for what was fed from within its region. */
  fedNoMore(pull: RelayPull): void {
    const key = keyOf(pull);
    const feeds = this.feeds.get(key);
    if (feeds?.delete(pull) !== true) return;
    if (feeds.size === 0) this.feeds.delete(key);
    if (feeds.size <= 1) this.doubled.delete(key);
  }
}

const keyOf = ({ path, owner }: RelayPull): string => `${path} into ${owner.region}`;
