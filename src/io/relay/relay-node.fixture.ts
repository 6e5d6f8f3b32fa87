import pino from 'pino';
import { durationMs, type StreamRef, sizeBytes } from '../../core/mod.ts';
import { type HlsOutput, HubToHls, RelayToHub } from '../../gateways/mod.ts';
import { Hub, type LiveStream } from '../../hub/mod.ts';
import type { RelayAcceptance, RelayWish } from '../../protocols/relay/mod.ts';
import { systemClock } from '../clock.ts';
import { RelayClient } from './relay-client.ts';
import type { RelayPull, RelayTls, RelayUpstream } from './relay-pull.ts';
import { RelayServer, type RelayServerOptions } from './relay-server.ts';
import type { RelayRefused, RelaySource } from './relay-sources.ts';

export const log: pino.Logger = pino({ level: process.env['RELAY_LOG'] ?? 'silent' });

export function makeHub(changed: (path: string) => void = () => undefined, holdMs = 60_000): Hub {
  const nothing = (): void => undefined;
  return new Hub(
    {
      streamStarted: nothing,
      streamHeld: nothing,
      streamResumed: nothing,
      streamEnded: nothing,
      renditionsChanged: (ref) => changed(ref.path),
      sinkFailed: (_ref, error) => {
        throw error;
      },
    },
    {
      holdMs: durationMs(holdMs),
      segmentTargetMs: durationMs(2_000),
      partTargetMs: durationMs(500),
      streamsMax: 1_000,
      gopCacheBytesMax: sizeBytes(20_000_000),
      tracksMax: 4,
    },
  );
}

/** All files that a packager made, and its playlist. */
export class HlsFiles implements HlsOutput {
  readonly files = new Map<string, string>();
  readonly packager: HubToHls;

  constructor(stream: LiveStream, rendition = '') {
    this.packager = new HubToHls(this, { segmentsMax: 4, bytesMax: 1e9 });
    const source = rendition === '' ? stream : stream.renditions.get(rendition);
    source?.attach(this.packager, 'segment');
  }
  added(name: string, chunks: readonly Uint8Array[]): void {
    this.files.set(name, Buffer.concat(chunks).toString('base64'));
  }
  removed(name: string): void {
    this.files.delete(name);
  }
  advanced(): void {}
  get playlist(): string {
    return Buffer.from(this.packager.playlists?.media ?? new Uint8Array(0)).toString();
  }
}

/** A node that has streams of its own, pulls others, and gives all of them. */
export class RelayNode {
  readonly events: string[] = [];
  readonly hub: Hub;
  readonly client: RelayClient;
  readonly server: RelayServer;
  readonly toHubs = new Map<string, RelayToHub>();
  epoch = 1;
  hls: HlsFiles | undefined = undefined;
  private readonly node: string;
  private readonly pulls = new Map<string, RelayPull>();
  private acceptance: RelayAcceptance | undefined = undefined;

  constructor(node: string, tls: RelayTls, options: Partial<RelayServerOptions> = {}) {
    this.node = node;
    const shared = { node, cluster: 'test', tls, clock: systemClock, log };
    this.client = new RelayClient(shared);
    this.server = new RelayServer({
      ...shared,
      host: '127.0.0.1',
      port: 0,
      portKey: 'relay.port',
      portVariable: 'SLUICE_RELAY_PORT',
      mayConnect: () => true,
      sources: { open: (wish) => this.open(wish) },
      ...options,
    });
    this.hub = makeHub((path) => this.server.renditionsChanged(path));
  }

  get upstream(): RelayUpstream {
    return { node: this.node, host: '127.0.0.1', port: this.server.port };
  }

  /** Pulls the stream and, while they are wanted, its renditions; also from another node than before. */
  pull(ref: StreamRef, upstream: RelayUpstream, epoch = 0): void {
    let toHub = this.toHubs.get(ref.path);
    if (toHub === undefined) {
      toHub = this.makeToHub(ref, () => this.lastUpstream ?? upstream);
      this.toHubs.set(ref.path, toHub);
    }
    this.lastUpstream = upstream;
    this.pulls.get('')?.close();
    this.pulls.set('', this.client.pull({ upstream, ref, rendition: '', epoch }, toHub));
  }
  private lastUpstream: RelayUpstream | undefined = undefined;

  stopPulling(rendition = ''): void {
    this.pulls.get(rendition)?.close();
    this.pulls.delete(rendition);
  }

  async close(): Promise<void> {
    this.client.close();
    await this.server.close();
  }

  private makeToHub(ref: StreamRef, upstream: () => RelayUpstream): RelayToHub {
    const note = (what: string) => (rendition: string) => void this.events.push(`${what} ${rendition}`.trim());
    const toHub: RelayToHub = new RelayToHub(this.hub, ref, {
      wanted: (rendition, isWanted) => {
        note(isWanted ? 'wanted' : 'unwanted')(rendition);
        this.stopPulling(rendition);
        const receiver = toHub.receiver(rendition);
        if (isWanted && receiver !== undefined)
          this.pulls.set(rendition, this.client.pull({ upstream: upstream(), ref, rendition, epoch: 0 }, receiver));
        else toHub.rest(rendition);
      },
      keyframeWanted: (rendition) => this.pulls.get(rendition)?.requestKeyframe(),
      accepted: (rendition, acceptance) => {
        if (rendition === '') this.acceptance = acceptance;
        note(acceptance.isResumed ? 'resumed' : 'accepted')(rendition);
        if (rendition !== '' || this.hls !== undefined) return;
        const stream = this.hub.stream(ref.path);
        if (stream !== undefined) this.hls = new HlsFiles(stream);
      },
      refused: (rendition, code) => note(`refused ${code}`)(rendition),
      path: (rendition, epoch, hops) => note(`path ${epoch} ${hops.join(',')}`)(rendition),
      broken: note('broken'),
      ended: note('ended'),
      evicted: () => void this.events.push('evicted'),
    });
    return toHub;
  }

  private open(wish: RelayWish): RelaySource | RelayRefused {
    const stream = this.hub.stream(wish.ref.path);
    if (stream === undefined) return { refused: 'unknown', message: `no ${wish.ref.path} here` };
    const isRelayed = stream.publisher.protocol === 'relay';
    return { stream, epoch: isRelayed ? (this.acceptance?.epoch ?? 0) : this.epoch, hops: isRelayed ? (this.acceptance?.hops ?? []) : [] };
  }
}
