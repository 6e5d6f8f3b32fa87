import type { NodeLoad, NodeRecord, NodeView, RouteCandidate } from '../src/cluster/mod.ts';

/** Who has the stream that is asked for: the same for all candidates. */
interface Asked {
  holders: readonly (string | undefined)[];
}

/** A node as another one sees it; looked at as far as it matters. */
export class Seen implements RouteCandidate {
  private readonly view: NodeView;
  private readonly asked: Asked;

  constructor(view: NodeView, asked: Asked) {
    this.view = view;
    this.asked = asked;
  }

  get hasStream(): boolean {
    return this.asked.holders.includes(this.view.record.id);
  }

  get record(): NodeRecord {
    return this.view.record;
  }

  get load(): NodeLoad | undefined {
    return this.view.heartbeat;
  }

  get headroom(): number | undefined {
    return this.view.headroom;
  }

  get isStale(): boolean {
    return this.view.isStale;
  }
}

/** The candidates that one node has for clients of its region: made anew when others belong to that. */
export class SeenNodes {
  private readonly asked: Asked = { holders: [] };
  private views: readonly NodeView[] = [];
  private seen: readonly Seen[] = [];

  of(views: readonly NodeView[], holders: readonly (string | undefined)[]): readonly Seen[] {
    this.asked.holders = holders;
    if (views !== this.views) {
      this.views = views;
      this.seen = views.map((view) => new Seen(view, this.asked));
    }
    return this.seen;
  }
}
