import type { WallMs } from '../core/mod.ts';
import { type ClusterView, checked, checkedAnswers, type KnownStream } from './cluster-view.ts';
import type { LocalStreamResource, StreamPlaceResource, StreamResource } from './contract.ts';
import { placeSchema, streamsHereSchema } from './schemas.ts';
import type { FoundStream } from './stream-lookup.ts';
import { type StreamResourceOptions, streamResource } from './stream-resource.ts';

/** What a node says of a stream that it has. */
interface PlaceAnswer {
  readonly hops: string[];
  readonly stream: LocalStreamResource;
}

/** The same for lists: how many watch it there, and at its origin all of it. */
export interface StreamHere {
  readonly path: string;
  readonly viewers: StreamResource['viewers'];
  readonly stream?: LocalStreamResource;
}

type Viewers = NonNullable<StreamResource['viewers']>;

/** What was heard of a stream. */
interface Heard {
  /** As the origin sees it, or else as this node does, if it has it. */
  readonly said: LocalStreamResource | undefined;
  /** Of all nodes that have said so. */
  readonly viewers: Viewers | undefined;
  readonly places?: StreamPlaceResource[];
}

/** Streams of all nodes as the API shows them: what the directory knows of them, and what the nodes that have them say. */
export class StreamAnswers {
  private readonly view: ClusterView;
  private readonly options: StreamResourceOptions;

  constructor(view: ClusterView, options: StreamResourceOptions) {
    this.view = view;
    this.options = options;
  }

  /** One stream. All nodes are asked for callers who are privileged; that is more work than everybody may cause, so for others the origin is, at most. */
  async detail(found: FoundStream, isPrivileged: boolean): Promise<StreamResource> {
    if (isPrivileged) return this.resource(found, await this.everywhere(found, this.here(found, true)));
    return found.here === undefined ? this.resource(found, await this.atOrigin(found)) : this.local(found, false);
  }

  /** One stream, without asking anybody. */
  local(found: FoundStream, isPrivileged: boolean): StreamResource {
    const here = this.here(found, isPrivileged);
    return this.resource(found, { said: here, viewers: here?.viewers });
  }

  /** A page of them, in order of path, for a privileged caller: all nodes are asked. */
  async page(all: readonly FoundStream[]): Promise<StreamResource[]> {
    const heard = await this.listed(all);
    return all.map((found) => {
      const here = this.here(found, true);
      const { said, viewers } = heard.get(found.path) ?? { said: undefined, viewers: here?.viewers };
      return this.resource(found, { said: found.isOwn ? here : (said ?? here), viewers });
    });
  }

  /** What the directory alone says of where a stream is from. */
  originOf({ origin, known }: FoundStream): Pick<StreamResource, 'origin' | 'makers'> {
    const { view } = this;
    return {
      origin: { node: origin, region: view.regionOf(origin), epoch: known?.epoch ?? 0, isAlive: view.isAlive(origin) },
      makers: Object.entries(known?.body.makers ?? {}).map(([rendition, { node }]) => ({ rendition, node })),
    };
  }

  private here({ here }: FoundStream, isPrivileged: boolean): LocalStreamResource | undefined {
    return here === undefined ? undefined : streamResource(here, this.options, isPrivileged);
  }

  /** As far as everybody may know it. */
  private async atOrigin({ path, origin }: FoundStream): Promise<Heard> {
    const answer = this.view.isAlive(origin) ? await this.view.ask(origin, 'stream', path) : undefined;
    const stream = checked<PlaceAnswer>(placeSchema, answer)?.stream;
    if (stream === undefined) return { said: undefined, viewers: undefined };
    const { protocol } = stream.publisher;
    return { said: { ...stream, publisher: { protocol } }, viewers: stream.viewers };
  }

  private async everywhere(found: FoundStream, here: LocalStreamResource | undefined): Promise<Heard> {
    const { path, origin, isOwn } = found;
    const answers = await checkedAnswers<PlaceAnswer>(this.view, 'stream', placeSchema, path);
    const places = answers.map(
      ({ node, answer: { hops, stream } }): StreamPlaceResource => ({
        node,
        region: this.view.regionOf(node),
        hops,
        viewers: stream.viewers,
        bitrateBps: stream.bitrateBps,
        ...(stream.latency === undefined ? {} : { latency: stream.latency }),
      }),
    );
    const order = (place: StreamPlaceResource): number => (place.node === origin ? -1 : place.hops.length);
    return {
      said: isOwn ? here : (answers.find(({ node }) => node === origin)?.answer.stream ?? here),
      viewers: places.length === 0 ? here?.viewers : sumOf(places.map(({ viewers }) => viewers)),
      places: places.sort((left, right) => order(left) - order(right)),
    };
  }

  /** All nodes are asked once for the whole page: for what they have between its first and its last stream. */
  private async listed(all: readonly FoundStream[]): Promise<ReadonlyMap<string, Heard>> {
    const origins = new Map(all.map(({ path, origin }) => [path, origin]));
    const [first, last] = [all[0], all.at(-1)];
    if (first === undefined || last === undefined) return new Map();
    const answers = await checkedAnswers<readonly StreamHere[]>(this.view, 'streams', streamsHereSchema, `${first.path} ${last.path}`);
    const viewers = new Map<string, Viewers[]>();
    const said = new Map<string, LocalStreamResource>();
    for (const { node, answer } of answers) {
      for (const { path, viewers: there, stream } of answer) {
        if (there !== undefined) viewers.set(path, [...(viewers.get(path) ?? []), there]);
        if (stream !== undefined && origins.get(path) === node) said.set(path, stream);
      }
    }
    return new Map([...viewers].map(([path, counts]) => [path, { said: said.get(path), viewers: sumOf(counts) }]));
  }

  private resource(found: FoundStream, { said, viewers, places }: Heard): StreamResource {
    const { known } = found;
    const { viewers: _viewers, ...figures } = said ?? { viewers: undefined };
    return {
      ...(known === undefined ? {} : settledBy(known, this.options.wall())),
      ...(figures as LocalStreamResource),
      // A node that pulls a stream sees another node as its publisher.
      ...(known !== undefined && (said === undefined || said.publisher.protocol === 'relay')
        ? { state: known.body.state, publisher: { protocol: known.body.protocol } }
        : {}),
      ...this.originOf(found),
      ...(viewers === undefined ? {} : { viewers }),
      ...(places === undefined ? {} : { places }),
    };
  }
}

/** What stands in the directory. */
function settledBy({ name: path, body }: KnownStream, now: WallMs): Omit<StreamResource, 'origin' | 'makers'> {
  const [app = '', name = ''] = path.split('/');
  const { startedWallMs, state, protocol, tracks, renditions } = body;
  return {
    path,
    app,
    name,
    state,
    startedAt: new Date(startedWallMs).toISOString(),
    uptimeSeconds: Math.max(0, Math.floor((now - startedWallMs) / 1000)),
    tracks: tracks.map((track) => ({ ...track })),
    renditions: ['source', ...renditions],
    rungs: [],
    publisher: { protocol },
    playback: { watch: `/watch/${path}`, hls: `/${path}/index.m3u8`, flv: `/${path}.flv` },
  };
}

function sumOf(counts: readonly Viewers[]): Viewers {
  const byProtocol: Record<string, number> = {};
  let total = 0;
  for (const { total: some, byProtocol: each } of counts) {
    total += some;
    for (const [protocol, count] of Object.entries(each)) byProtocol[protocol] = (byProtocol[protocol] ?? 0) + count;
  }
  return { total, byProtocol };
}
