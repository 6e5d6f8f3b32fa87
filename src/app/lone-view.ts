import type { ClusterView, KnownStream, NodeAnswer, NodeQuestion, NodeResource } from '../api/mod.ts';
import { CLUSTER_PROTOCOL } from '../cluster/mod.ts';
import type { Hub, LiveStream } from '../hub/mod.ts';
import { LoadSampler, systemClock } from '../io/mod.ts';
import type { NodeServiceLoad } from './cluster-member.ts';

export interface LoneViewOptions {
  readonly ownId: string;
  readonly version: string;
  readonly dataFolder: string;
  readonly hub: Hub;
  readonly load: () => NodeServiceLoad;
  readonly answer: (question: NodeQuestion, path: string) => unknown;
}

const SAMPLE_MS = 1_000;

/** A node on its own, seen as a cluster of one: what tells of a cluster tells of it, too. */
export class LoneView implements ClusterView {
  readonly isConnected = true;
  readonly ownId: string;
  private readonly options: LoneViewOptions;
  private readonly sampler: LoadSampler;
  private readonly startedAt: string;
  private sampled: { readonly at: number; readonly load: ReturnType<LoadSampler['sample']> } | undefined;

  constructor(options: LoneViewOptions) {
    this.options = options;
    this.ownId = options.ownId;
    this.startedAt = new Date(systemClock.wall()).toISOString();
    this.sampler = new LoadSampler({ dataFolder: options.dataFolder, networkMaxBps: 0, now: () => systemClock.monotonic() });
  }

  close(): void {
    this.sampler.close();
  }

  *streams(): Iterable<KnownStream> {
    for (const stream of this.options.hub.streams()) yield this.known(stream);
  }

  stream(path: string): KnownStream | undefined {
    const stream = this.options.hub.stream(path);
    return stream === undefined ? undefined : this.known(stream);
  }

  isAlive(node: string): boolean {
    return node === this.ownId;
  }

  nodes(): readonly NodeResource[] {
    const { ownId, version, load } = this.options;
    return [
      {
        id: ownId,
        region: '',
        roles: ['mono'],
        status: 'active',
        stale: false,
        incarnation: 1,
        self: true,
        endpoints: { http: '' },
        version,
        protocol: CLUSTER_PROTOCOL,
        joinedAt: this.startedAt,
        startedAt: this.startedAt,
        heardAgoMs: 0,
        load: { ...this.sample(), ...load() },
      },
    ];
  }

  async ask(_node: string, question: NodeQuestion, path = ''): Promise<unknown> {
    return this.options.answer(question, path);
  }

  async askAll(question: NodeQuestion, path = ''): Promise<readonly NodeAnswer[]> {
    const answer = this.options.answer(question, path);
    return answer === undefined ? [] : [{ node: this.ownId, answer }];
  }

  /** Each sample covers the time since the one before, so that many who ask do not make it a short one. */
  private sample(): ReturnType<LoadSampler['sample']> {
    const now = systemClock.monotonic();
    if (this.sampled === undefined || now - this.sampled.at >= SAMPLE_MS) this.sampled = { at: now, load: this.sampler.sample() };
    return this.sampled.load;
  }

  private known({ ref, startedWallMs, state, publisher, tracks, renditions }: LiveStream): KnownStream {
    return {
      name: ref.path,
      holder: { node: this.ownId },
      epoch: 0,
      body: {
        startedWallMs,
        state,
        protocol: publisher.protocol,
        tracks: tracks.map((track) => ({
          kind: track.kind,
          codec: track.codec,
          ...(track.kind === 'video' ? { width: track.width, height: track.height } : {}),
        })),
        renditions: [...renditions.keys()],
      },
    };
  }
}
