import { setTimeout as sleep } from 'node:timers/promises';
import { publish } from '../test/fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from '../test/fixtures/flv-viewer.ts';
import { TestCluster, type TestNode } from '../test/fixtures/test-cluster.ts';
import { until } from '../test/fixtures/until.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { DelayedLink } from './delayed-link.ts';
import { whepLoad } from './webrtc-bench.ts';

/** One way; the round trip to the other region is twice as long. */
const DELAY_MS = 25;
const COLD_STARTS = 10;
const FAILOVERS = 3;
/** A loopback address for the origin itself, and another one for the long way to it. */
const [NEAR_HOST, FAR_HOST] = ['127.0.0.2', '127.0.0.3'];
const RELAY_PORT = 17_350;
const FIRST_BYTES = 20_000;

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const rounded = (values: readonly number[]): number[] => values.map(Math.round).toSorted((left, right) => left - right);

/** A cluster of real processes: joining it, cold edges far away, and what viewers see when nodes are killed. */
export const cluster: BenchCase = {
  name: 'cluster',
  run: async () => {
    const joins: number[] = [];
    const nodes = await TestCluster.found({ roles: ['manager'], region: 'eu' });
    const join = async (role: string, region: string, environment: Record<string, string> = {}, advertise?: string): Promise<TestNode> => {
      const began = performance.now();
      const node = await nodes.join({ roles: [role], region, environment, ...(advertise === undefined ? {} : { advertise }) });
      joins.push(performance.now() - began);
      return node;
    };
    try {
      const starts = await coldStarts(join);
      const regional = await regionalFailovers(join);
      const standby = await standbyFailovers(join);
      const back = await publisherReturns(join);
      return rowsOf({ joins, starts, regional, standby, back });
    } finally {
      await nodes.close();
    }
  },
};

interface ColdStarts {
  readonly flv: number[];
  readonly webrtc: number[];
}

type Join = (role: string, region: string, environment?: Record<string, string>, advertise?: string) => Promise<TestNode>;

/** From a viewer's request to its first picture, on an edge that has never had the stream, in a region 50 ms away. */
async function coldStarts(join: Join): Promise<ColdStarts> {
  const origin = await join(
    'origin',
    'eu',
    { SLUICE_CLUSTER_RELAY_HOST: NEAR_HOST, SLUICE_CLUSTER_RELAY_PORT: String(RELAY_PORT) },
    FAR_HOST,
  );
  const link = await DelayedLink.open({ host: FAR_HOST, port: RELAY_PORT }, { host: NEAR_HOST, port: RELAY_PORT }, DELAY_MS);
  const edge = await join('edge', 'us', { SLUICE_CLUSTER_LINGER_MS: '0' });
  const publisher = await publish({
    url: `${origin.server.rtmpUrl}/live/far`,
    videoCodec: 'h264',
    audioCodec: 'aac',
    keyframeIntervalS: 2,
  });
  const starts: ColdStarts = { flv: [], webrtc: [] };
  try {
    await until('the stream on the edge', async () => {
      const viewer = await FlvViewer.open(`${edge.server.httpUrl}/live/far.flv`).catch(() => undefined);
      viewer?.close();
      return viewer;
    });
    for (let start = 0; start < COLD_STARTS; start++) {
      await untilCold(edge);
      starts.flv.push(await firstByFlv(`${edge.server.httpUrl}/live/far.flv`));
      await untilCold(edge);
      starts.webrtc.push(await firstByWebrtc(`${edge.server.httpUrl}/live/far/whep`));
    }
  } finally {
    await publisher.close();
    link.close();
  }
  return starts;
}

/** The stream has to be gone from the edge, and the connection to the origin with it. */
async function untilCold(edge: TestNode): Promise<void> {
  await until(
    'the end of the pull',
    () =>
      edge.server.log.findLast(({ code }) => code === 'hub.stream-started' || code === 'hub.stream-ended')?.['code'] ===
        'hub.stream-ended' || undefined,
  );
  await sleep(6_000);
}

async function firstByFlv(url: string): Promise<number> {
  const began = performance.now();
  const viewer = await FlvViewer.open(url);
  await until('the first picture', () => (viewer.bytes > FIRST_BYTES ? true : undefined));
  const tookMs = performance.now() - began;
  viewer.close();
  return tookMs;
}

/** From the offer to a keyframe that is whole. */
async function firstByWebrtc(url: string): Promise<number> {
  const { joinFirstKeyframeMs } = await whepLoad(url, { viewers: 1, rampS: 0, durationS: 2, more: ['--probes', '1'] }).result;
  if (joinFirstKeyframeMs === null) throw new Error(`no picture from ${url}`);
  return joinFirstKeyframeMs.max;
}

/** The longest time without a byte at a viewer whose regional origin is killed, beyond the usual one. */
async function regionalFailovers(join: Join): Promise<number[]> {
  const origin = await join('origin', 'eu');
  const publisher = await publish({ url: `${origin.server.rtmpUrl}/live/regional`, videoCodec: 'h264', audioCodec: 'aac' });
  const gaps: number[] = [];
  try {
    for (let turn = 0; turn < FAILOVERS; turn++) {
      const region = `region-${turn}`;
      const [doomed, other] = [await join('edge', region), await join('edge', region)];
      const [first, viewer] = [await watch(doomed, 'regional'), await watch(other, 'regional')];
      await sleep(2_000);
      viewer.takeGapMs();
      await doomed.server.kill();
      await sleep(4_000);
      gaps.push(viewer.takeGapMs());
      for (const one of [first, viewer]) one.close();
    }
  } finally {
    await publisher.close();
  }
  return gaps;
}

async function standbyFailovers(join: Join): Promise<number[]> {
  const environment = { SLUICE_APPS_LIVE_SECOND_PUBLISHER: 'standby' };
  const [edge, second] = [await join('edge', 'eu'), await join('origin', 'eu', environment)];
  const gaps: number[] = [];
  for (let turn = 0; turn < FAILOVERS; turn++) {
    const doomed = await join('origin', 'eu', environment);
    const name = `hot-${turn}`;
    const publishers = [await publishTo(doomed, name)];
    const viewer = await watch(edge, name);
    publishers.push(await publishTo(second, name));
    await until('the standby', () => second.server.log.find(({ code, stream }) => code === 'cluster.standby' && stream === `live/${name}`));
    await sleep(2_000);
    viewer.takeGapMs();
    await doomed.server.kill();
    await sleep(6_000);
    gaps.push(viewer.takeGapMs());
    viewer.close();
    for (const one of publishers) await one.close();
  }
  return gaps;
}

/** From the moment that a publisher is accepted elsewhere to bytes at the viewer. */
async function publisherReturns(join: Join): Promise<number[]> {
  const [edge, second] = [await join('edge', 'eu'), await join('origin', 'eu')];
  const times: number[] = [];
  for (let turn = 0; turn < FAILOVERS; turn++) {
    const doomed = await join('origin', 'eu');
    const name = `back-${turn}`;
    const first = await publishTo(doomed, name);
    const viewer = await watch(edge, name);
    await doomed.server.kill();
    await sleep(1_000);
    const again = await publishTo(second, name);
    const began = performance.now();
    const before = viewer.bytes;
    await until('the stream again', () => (viewer.bytes > before + FIRST_BYTES ? true : undefined));
    times.push(performance.now() - began);
    viewer.close();
    for (const one of [first, again]) await one.close();
  }
  return times;
}

const publishTo = (node: TestNode, name: string): ReturnType<typeof publish> =>
  publish({ url: `${node.server.rtmpUrl}/live/${name}`, videoCodec: 'h264', audioCodec: 'aac' });

async function watch(node: TestNode, name: string): Promise<FlvViewer> {
  const viewer = await until(`live/${name} on an edge`, () =>
    FlvViewer.open(`${node.server.httpUrl}/live/${name}.flv`).catch(() => undefined),
  );
  await until('bytes', () => (viewer.bytes > FIRST_BYTES ? true : undefined));
  return viewer;
}

interface Measured {
  readonly joins: readonly number[];
  readonly starts: ColdStarts;
  readonly regional: readonly number[];
  readonly standby: readonly number[];
  readonly back: readonly number[];
}

function rowsOf({ joins, starts, regional, standby, back }: Measured): readonly BenchRow[] {
  const row = (name: string, values: readonly number[], share: number, atMost: number, note: string): BenchRow => {
    const sorted = rounded(values);
    return {
      name,
      value: at(sorted, share),
      unit: share === 1 ? 'ms at most' : `ms p${share * 100}`,
      bar: { atMost },
      note: `${note}; ${sorted.join(', ')}`,
    };
  };
  const far = `round trip ${DELAY_MS * 2} ms, new connection each time`;
  return [
    row('cluster: join to active', joins, 0.9, 2_000, 'the start of the process included'),
    row('cluster: first picture on a cold edge of another region', starts.flv, 0.9, 400, `HTTP-FLV, ${far}`),
    row('cluster: first picture on a cold edge of another region, WebRTC', starts.webrtc, 0.9, 400, `from the offer, ${far}`),
    row('cluster: gap at a viewer, regional origin killed', regional, 1, 1_000, 'longest time without a byte over HTTP-FLV'),
    row(
      'cluster: gap at a viewer, origin killed with a hot standby',
      standby,
      1,
      1_000,
      'longest time without a byte; a keyframe each second',
    ),
    row(
      'cluster: publisher back on another origin to its viewers',
      back,
      1,
      1_000,
      'from accepted to bytes at the viewer, gathering of tracks included',
    ),
  ];
}
