import type { Command } from 'commander';
import { allItems, type Stream } from '../../client/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { fieldLines, textTable } from './text-table.ts';

/** `sluice streams [list|show|end]`: the streams of a running server. */
export function registerStreams(program: Command): void {
  const command = program.command('streams').description('list the streams of a running server, show and end them');
  withShowOptions(command.command('list', { isDefault: true }).description('list the streams'))
    .addHelpText(
      'after',
      '\nExamples:\n  sluice streams\n  sluice streams --json --url https://media.example.org\n  sluice streams show live/show',
    )
    .action((options: ShowOptions) => run(options, async () => shown(options, await allItems(clientOf(options).streams.list), table)));
  withShowOptions(command.command('show <app/name>').description('show one stream')).action((path: string, options: ShowOptions) =>
    run(options, async () => shown(options, await clientOf(options).streams.get(...partsOf(path)), details)),
  );
  withShowOptions(command.command('end <app/name>').description('close the publisher and end the stream')).action(
    (path: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).streams.delete(...partsOf(path));
        return shown(options, { ended: path }, ({ ended }) => `${ended} is ended.`);
      }),
  );
}

function partsOf(path: string): [app: string, name: string] {
  const [app = '', name = '', ...rest] = path.split('/');
  if (app !== '' && name !== '' && rest.length === 0) return [app, name];
  throw new SluiceError('cli.stream-name', `${JSON.stringify(path)} is no stream: give APP/NAME, such as live/show`);
}

const tracksText = ({ tracks }: Stream): string =>
  tracks.map((track) => (track.kind === 'video' ? `${track.codec} ${track.width}x${track.height}` : track.codec)).join(' + ');
const UNKNOWN = '?';
const bitrateText = ({ bitrateBps }: Stream): string => (bitrateBps === undefined ? UNKNOWN : `${(bitrateBps / 1e6).toFixed(2)} Mbit/s`);

function table(streams: readonly Stream[]): string {
  if (streams.length === 0) return 'No streams are live.';
  const rows = streams.map((stream) => [
    stream.path,
    stream.state,
    tracksText(stream),
    bitrateText(stream),
    String(stream.viewers?.total ?? UNKNOWN),
    stream.origin.node,
    `${stream.uptimeSeconds} s`,
  ]);
  return textTable(['STREAM', 'STATE', 'TRACKS', 'BITRATE', 'VIEWERS', 'ORIGIN', 'UPTIME'], rows);
}

function details(stream: Stream): string {
  const {
    path,
    state,
    startedAt,
    publisher,
    origin,
    viewers,
    frameRate = UNKNOWN,
    keyframeIntervalMs = UNKNOWN,
    latency,
    renditions,
  } = stream;
  const byProtocol = Object.entries(viewers?.byProtocol ?? {}).map(([protocol, count]) => `${protocol} ${count}`);
  return fieldLines([
    ['stream', path],
    ['state', `${state} since ${startedAt}`],
    ['publisher', [publisher.protocol, publisher.address, publisher.agent].filter((text) => text !== undefined).join(' ')],
    ['origin', [origin.node, origin.region, ...(origin.isAlive ? [] : ['(dead)'])].join(' ')],
    ['tracks', tracksText(stream)],
    ['bitrate', bitrateText(stream)],
    ['frame rate', `${frameRate} a second, a keyframe each ${keyframeIntervalMs} ms`],
    ['viewers', [String(viewers?.total ?? UNKNOWN), ...byProtocol].join(' ')],
    ...(latency === undefined ? [] : [['latency', `${latency.p50Ms} ms, 95 %: ${latency.p95Ms} ms`] as [string, string]]),
    ['renditions', renditions.join(' ')],
  ]);
}
