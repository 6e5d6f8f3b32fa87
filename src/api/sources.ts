import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { SourcePage, SourceResource } from './contract.ts';
import { appOf } from './grant.ts';
import type { Operation } from './operation.ts';
import { pageOf } from './page.ts';
import { pageQuerySchema } from './schemas.ts';

/** What the API needs to see of a pull source. */
export interface SourceReportSource {
  readonly stream: string;
  readonly url: string;
  readonly mode: SourceResource['mode'];
  readonly state: SourceResource['state'];
  readonly sinceMs: number;
  readonly attempts: number;
  readonly lastError: { readonly code: string; readonly message: string } | undefined;
  readonly format: string | undefined;
  readonly framesIn: number;
  readonly malformedFrames: number;
}

/** What the API needs of the pull sources. */
export interface SourceDirectory {
  report(): readonly SourceReportSource[];
}

const source = Type.Object({
  stream: Type.String({ description: '`app/name` of the stream that it is published as', examples: ['live/show'] }),
  app: Type.String(),
  name: Type.String(),
  url: Type.String({ description: 'Without user name, password and query', examples: ['rtsp://camera.example.org/door'] }),
  mode: Type.Union([Type.Literal('on-demand'), Type.Literal('always')]),
  state: Type.Union(
    [Type.Literal('idle'), Type.Literal('starting'), Type.Literal('running'), Type.Literal('ending'), Type.Literal('waiting')],
    { description: '`idle`: nobody watches it; `waiting`: it failed and is tried again later' },
  ),
  since: Type.String({ format: 'date-time', description: 'When it came into its state' }),
  attempts: Type.Integer({ description: 'How often it was opened' }),
  lastError: Type.Optional(
    Type.Object({ code: Type.String(), message: Type.String() }, { description: 'Why it last failed, also when it runs again' }),
  ),
  format: Type.Optional(Type.String({ description: 'Of its container or protocol, while it is open' })),
  framesIn: Type.Integer(),
  malformedFrames: Type.Integer({ description: 'Frames that were left out' }),
});
const page = Type.Object({
  items: Type.Array(source),
  nextCursor: Type.Optional(Type.String({ description: 'Give it as `cursor` for the next page; absent on the last page' })),
});

export const sourceSchema: TSchema = source;

/** The operations on pull sources. */
export function sourceOperations(directory: SourceDirectory): readonly Operation[] {
  return [
    {
      id: 'listSources',
      method: 'GET',
      path: '/sources',
      summary: 'List the pull sources',
      description: 'The sources of the configuration and how they stand, of the apps that the key may see; ordered by stream, in pages.',
      scope: 'app-read',
      tag: 'sources',
      query: pageQuerySchema,
      success: { status: 200, schema: page },
      handle: ({ query, grant }): SourcePage => {
        const shown = directory.report().filter(({ stream }) => grant.maySee(appOf(stream)));
        const { items, ...rest } = pageOf(shown, ({ stream }) => stream, query);
        return { items: items.map(sourceResource), ...rest };
      },
    },
  ];
}

/** A source as the API shows it. */
export function sourceResource({ stream, sinceMs, lastError, format, ...report }: SourceReportSource): SourceResource {
  const [app = '', name = ''] = stream.split('/');
  return {
    ...report,
    stream,
    app,
    name,
    since: new Date(sinceMs).toISOString(),
    ...(lastError === undefined ? {} : { lastError: { ...lastError } }),
    ...(format === undefined ? {} : { format }),
  };
}

// The contract is written out for its readers; this does not compile when it and the schema differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: Same<Static<typeof page>, SourcePage> = true;
void contractIsSchema;
