import type { RungResource, TranscodingResource } from './contract.ts';
import type { Operation } from './operation.ts';
import { transcodingSchema } from './schemas.ts';

/** What the API needs to see of a rung. */
export interface RungSource {
  readonly planned: {
    readonly rung: { readonly name: string; readonly kind: 'video' | 'audio'; readonly codec: string };
    readonly expected: { readonly codecString: string; readonly width?: number; readonly height?: number; readonly bitrateBps: number };
  };
  readonly condition: RungResource['state'];
  readonly reason: string | undefined;
  readonly by: string | undefined;
}

/** What the API needs to see of a rung that a stream does not get. */
export interface LeftOutSource {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  readonly code: string;
  readonly reason: string;
}

/** What the API needs of transcoding. */
export interface TranscodingSource {
  report(): {
    readonly tasksMax: number;
    readonly tasksRunning: number;
    readonly encoders: readonly {
      readonly name: string;
      readonly codec: string;
      readonly kind: string;
      readonly available: boolean;
      readonly reason?: string;
    }[];
    readonly decisions: readonly {
      readonly stream: string;
      readonly rung: string;
      readonly isAssigned: boolean;
      readonly reason: string;
      readonly message?: string;
      readonly tasksNeeded?: number;
    }[];
    readonly streams: readonly {
      readonly stream: string;
      readonly rungs: readonly RungSource[];
      readonly child: {
        readonly state: string;
        readonly restarts: number;
        readonly lastFailure: string | undefined;
        readonly stats:
          | { readonly framesIn: number; readonly framesOut: number; readonly queuedMs: number; readonly cpuS: number }
          | undefined;
      };
    }[];
  };
}

/** The operation that shows transcoding; `source` is undefined where nothing is transcoded. */
export function transcodingOperations(source: TranscodingSource | undefined): readonly Operation[] {
  return [
    {
      id: 'getTranscoding',
      tag: 'transcoding',
      method: 'GET',
      path: '/transcoding',
      summary: 'Look at transcoding',
      description: 'Tasks and their limit, the decision about each rung that somebody wants, encoders of this machine, child processes.',
      scope: 'read',
      success: { status: 200, schema: transcodingSchema },
      handle: () => transcodingReport(source),
    },
  ];
}

const NOTHING: TranscodingResource = { tasksMax: 0, tasksRunning: 0, encoders: [], decisions: [], streams: [] };

/** Of nothing where nothing is transcoded. */
export const transcodingReport = (source: TranscodingSource | undefined): TranscodingResource =>
  source === undefined ? NOTHING : transcodingResource(source);

function transcodingResource(source: TranscodingSource): TranscodingResource {
  const { tasksMax, tasksRunning, encoders, decisions, streams } = source.report();
  return {
    tasksMax,
    tasksRunning,
    encoders: encoders.map((encoder) => ({ ...encoder })),
    decisions: decisions.map((decision) => ({ ...decision })),
    streams: streams.map(({ stream, rungs, child: { state, restarts, lastFailure, stats } }) => ({
      stream,
      state,
      restarts,
      ...(lastFailure === undefined ? {} : { lastFailure }),
      framesIn: stats?.framesIn ?? 0,
      framesOut: stats?.framesOut ?? 0,
      queuedMs: Math.round(stats?.queuedMs ?? 0),
      cpuSeconds: stats?.cpuS ?? 0,
      rungs: rungs.map(rungResource),
    })),
  };
}

export const leftOutResource = ({ name, kind, codec, code, reason }: LeftOutSource): RungResource => ({
  name,
  kind,
  codec,
  state: 'left-out',
  reason: `${code}: ${reason}`,
});

/** A rung as the API shows it. */
export function rungResource({ planned: { rung, expected }, condition, reason, by }: RungSource): RungResource {
  const { codecString, width, height, bitrateBps } = expected;
  return {
    name: rung.name,
    kind: rung.kind,
    codec: rung.codec,
    codecString,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    bitrateBps: Math.round(bitrateBps),
    state: condition,
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  };
}
