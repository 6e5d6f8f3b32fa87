import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox';
import { SluiceError } from '../core/mod.ts';
import type { TargetResource } from './contract.ts';
import { appOf, streamNotFound } from './grant.ts';
import type { Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError, type ProblemCode, problemCodes } from './problem.ts';
import { pageQuerySchema, streamParamsSchema } from './schemas.ts';

/** What the API needs to see of a target of a stream. */
export interface TargetReport {
  /** `app/name`. */
  readonly stream: string;
  readonly name: string;
  readonly origin: 'config' | 'api';
  readonly protocol: 'rtmp' | 'srt' | 'whip';
  /** Without secrets. */
  readonly url: string;
  readonly rendition: string;
  readonly state: TargetResource['state'];
  readonly stateMs: number;
  readonly reason: { readonly code: string; readonly message: string } | undefined;
  readonly nextAttemptInMs: number | undefined;
  readonly retries: number;
  readonly bytesSent: number;
  readonly framesDropped: number;
}

/** What the API needs of the targets. */
export interface TargetDirectory {
  reports(path?: string): readonly TargetReport[];
  /** Throws `SluiceError` with a code of {@link ProblemCode}. */
  add(path: string, spec: { name: string; url: string; token: string; rendition: string }): TargetReport;
  /** False: there is none. */
  remove(path: string, name: string): boolean;
}

const state = ['waiting', 'connecting', 'sending', 'retrying', 'refused', 'stopped'] as const;

const target = Type.Object({
  stream: Type.String({ description: '`app/name`', examples: ['live/show'] }),
  name: Type.String(),
  origin: Type.Union([Type.Literal('config'), Type.Literal('api')], {
    description: 'Whether the configuration has it, or it was added here',
  }),
  protocol: Type.Union([Type.Literal('rtmp'), Type.Literal('srt'), Type.Literal('whip')]),
  url: Type.String({ description: 'Scheme, host and port alone: keys are never shown', examples: ['rtmps://live.example.org:443'] }),
  rendition: Type.String(),
  state: Type.Union(
    state.map((each) => Type.Literal(each)),
    {
      description:
        '`waiting`: the stream has nothing to send now; `retrying`: the last attempt failed, the next one comes; `refused`: another attempt would not help as things are',
    },
  ),
  stateSeconds: Type.Integer({ description: 'How long it has been in that state' }),
  reason: Type.Optional(
    Type.Object(
      {
        code: Type.String({ examples: ['targets.peer-refused'] }),
        message: Type.String({ description: "With the target's own words, where it had some" }),
      },
      { description: 'Why the last attempt ended; gone when media flows' },
    ),
  ),
  nextAttemptInSeconds: Type.Optional(Type.Integer({ description: 'While `retrying`' })),
  retries: Type.Integer({ description: 'Attempts that failed' }),
  bytesSent: Type.Integer(),
  framesDropped: Type.Integer({ description: 'Left out since the target did not take them fast enough' }),
});

export const targetSchema: TSchema = target;

// The contract is written out for its readers; this line does not compile when it and the schema differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const resourceIsSchema: Same<Static<typeof target>, TargetResource> = true;
void resourceIsSchema;

const name = Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$', description: 'The name of the target, unique in the stream' });

const targetWish = Type.Object(
  {
    name,
    url: Type.String({ minLength: 1, maxLength: 2000, description: 'As `apps.NAME.targets[].url` in the configuration' }),
    token: Type.String({ default: '', maxLength: 2000, description: 'The bearer token of a WHIP target' }),
    rendition: Type.String({ default: 'source', pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$' }),
  },
  { additionalProperties: false },
);

const targetList = Type.Object({ items: Type.Array(target) });
const targetPage = Type.Object({ items: Type.Array(target), nextCursor: Type.Optional(Type.String()) });
const targetParams = Type.Object({ ...(streamParamsSchema as TObject).properties, target: name });

const TAG = 'targets';

/** The operations on what streams are pushed to. `hasStream`: whether there is such a stream. */
export function targetOperations(targets: TargetDirectory, hasStream: (path: string) => boolean): readonly Operation[] {
  return [
    {
      id: 'listTargets',
      method: 'GET',
      path: '/targets',
      summary: 'List the targets of all streams',
      description: 'What the streams of this node are pushed to, of the apps that the key may see; ordered by stream and name, in pages.',
      scope: 'app-read',
      tag: TAG,
      query: pageQuerySchema,
      success: { status: 200, schema: targetPage },
      handle: ({ query, grant }) => {
        const shown = targets.reports().filter(({ stream }) => grant.maySee(appOf(stream)));
        return pageOf(shown.map(targetResource), (each) => `${each.stream}/${each.name}`, query);
      },
    },
    {
      id: 'listStreamTargets',
      method: 'GET',
      path: '/streams/:app/:name/targets',
      summary: 'List the targets of a stream',
      description: 'What the stream is pushed to, and how that stands.',
      scope: 'app-read',
      tag: TAG,
      params: streamParamsSchema,
      success: { status: 200, schema: targetList },
      errors: ['api.stream-not-found'],
      handle: ({ params }) => ({ items: targets.reports(existing(params, hasStream)).map(targetResource) }),
    },
    ...changingOperations(targets, hasStream),
  ];
}

function changingOperations(targets: TargetDirectory, hasStream: (path: string) => boolean): readonly Operation[] {
  return [
    {
      id: 'addStreamTarget',
      method: 'POST',
      path: '/streams/:app/:name/targets',
      summary: 'Push a stream to one more target',
      description: 'Until the stream ends or the target is removed; it is not kept for the next time. Its state tells whether it works.',
      scope: 'app',
      tag: TAG,
      params: streamParamsSchema,
      body: targetWish,
      success: { status: 201, schema: target },
      examples: { body: { name: 'backup', url: 'rtmps://live.example.org/app/KEY' } },
      errors: ['api.stream-not-found', 'targets.name-taken', 'targets.url', 'targets.too-many'],
      handle: ({ params, body, note }) => {
        const path = existing(params, hasStream);
        try {
          const after = targetResource(targets.add(path, body as Static<typeof targetWish>));
          note({ app: appOf(path), after });
          return after;
        } catch (error) {
          if (error instanceof SluiceError && error.code in problemCodes) throw new ApiError(error.code as ProblemCode, error.message);
          throw error;
        }
      },
    },
    {
      id: 'removeStreamTarget',
      method: 'DELETE',
      path: '/streams/:app/:name/targets/:target',
      summary: 'Stop pushing a stream to a target',
      description: 'Says goodbye to the target. One that the configuration has comes back when the stream starts again.',
      scope: 'app',
      tag: TAG,
      params: targetParams,
      success: { status: 204 },
      errors: ['api.stream-not-found', 'targets.not-found'],
      handle: ({ params, note }) => {
        const path = existing(params, hasStream);
        const wanted = params['target'] ?? '';
        if (!targets.remove(path, wanted)) throw new ApiError('targets.not-found', `${path} has no target "${wanted}"`);
        note({ app: appOf(path) });
      },
    },
  ];
}

function existing(params: OperationContext['params'], hasStream: (path: string) => boolean): string {
  const path = `${params['app']}/${params['name']}`;
  if (!hasStream(path)) throw streamNotFound(path);
  return path;
}

/** A target as the API shows it. */
export function targetResource({ stateMs, nextAttemptInMs, reason, ...rest }: TargetReport): TargetResource {
  return {
    ...rest,
    stateSeconds: Math.floor(stateMs / 1000),
    ...(reason === undefined ? {} : { reason: { ...reason } }),
    ...(nextAttemptInMs === undefined ? {} : { nextAttemptInSeconds: Math.ceil(nextAttemptInMs / 1000) }),
  };
}
