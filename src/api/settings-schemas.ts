import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type {
  AppliedSettings,
  LadderResource,
  RoutingResource,
  SettingsResource,
  SettingsVersionDetail,
  SettingsVersionPage,
} from './settings-contract.ts';

const LINGER_MS_MAX = 3_600_000;
const DOCUMENT_VERSION_MAX = 999_999_999;
const closed = { additionalProperties: false };
const literals = <const Words extends readonly string[]>(words: Words, description: string) =>
  Type.Union(
    words.map((word) => Type.Literal(word as Words[number])),
    { description },
  );

const rungFields = {
  name: Type.String({ minLength: 1, maxLength: 64, examples: ['720p'] }),
  codec: literals(['h264', 'vp8', 'vp9', 'av1', 'hevc', 'aac', 'opus'], '`aac` and `opus` make a rung of sound'),
  height: Type.Integer({ minimum: 0, maximum: 4320, examples: [720] }),
  frameRateMax: Type.Integer({ minimum: 0, maximum: 240, examples: [30] }),
  bitrateBps: Type.Integer({ minimum: 0, maximum: 100_000_000, examples: [2_500_000] }),
  preset: literals(['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium'], 'How much work the encoder takes'),
  encoder: Type.String({ minLength: 2, maxLength: 32, examples: ['auto'] }),
  channels: Type.Integer({ minimum: 0, maximum: 2, examples: [0] }),
};
const { name: rungName, ...rungOptions } = rungFields;
const template = literals(['off', 'webrtc', 'abr', 'custom'], '`custom`: exactly `rungs`');
const lingerMs = Type.Integer({ minimum: 0, maximum: LINGER_MS_MAX, examples: [10_000] });
const source = literals(['settings', 'configuration'], 'Set by the API, or as the configuration of the node that answers has it');
const ladder = Type.Object({
  template: { ...template, examples: ['custom'] },
  rungs: Type.Array(Type.Object(rungFields)),
  always: Type.Boolean(),
  lingerMs,
  source,
});
const ladderWish = Type.Object(
  {
    template: Type.Optional(template),
    rungs: Type.Optional(
      Type.Array(Type.Intersect([Type.Object({ name: rungName }), Type.Partial(Type.Object(rungOptions))]), {
        maxItems: 12,
        description: 'The rungs of the template `custom`',
      }),
    ),
    always: Type.Optional(Type.Boolean({ description: 'Whether rungs are made without viewers, too' })),
    lingerMs: Type.Optional(lingerMs),
  },
  { ...closed, examples: [{ template: 'custom', rungs: [{ name: '720p', height: 720, bitrateBps: 2_500_000 }] }] },
);

const networks = Type.Record(Type.String(), Type.Array(Type.String({ minLength: 2, maxLength: 64 }), { maxItems: 4096 }), {
  description: "The networks of each region's clients",
  examples: [{ eu: ['10.1.0.0/16'] }],
});
const regionHeader = Type.String({
  maxLength: 64,
  description: 'A header that a proxy in front sets to the region; empty for none',
  examples: ['x-region'],
});
const weight = (description: string) => Type.Number({ minimum: 0, maximum: 1000, description });
const hasStream = weight('That a node has the stream already');
const headroom = weight('What is left of the node, from nothing to all of it');
const routing = Type.Object({ networks, regionHeader, weights: Type.Object({ hasStream, headroom }), source });
const routingWish = Type.Object(
  {
    networks: Type.Optional(networks),
    regionHeader: Type.Optional(regionHeader),
    weights: Type.Optional(Type.Object({ hasStream: Type.Optional(hasStream), headroom: Type.Optional(headroom) }, closed)),
  },
  { ...closed, examples: [{ networks: { eu: ['10.1.0.0/16'] }, regionHeader: '' }] },
);

const apps = Type.Record(Type.String(), Type.Unknown(), {
  description:
    "By name: `note`, `playback`, `publishFromLoopback`, `secondPublisher`, `limits`, `tokens` and `ladder`. Without the app's keys",
  examples: [{ live: { note: 'the main channel', ladder: { template: 'abr' } } }],
});
const section = (description: string) => Type.Unknown({ description });
const settings = Type.Object({
  version: Type.Integer({ description: 'How often the settings were changed', examples: [7] }),
  apps,
  transcoding: section('`rules` and `pins`: what is transcoded first; null: nothing is set'),
  routing: section("`networks`, `regionHeader` and `weights`; null: as each node's configuration says"),
});
const settingsWish = Type.Object(
  {
    version: Type.Optional(Type.Integer({ minimum: 0, description: 'Of the document that this one was made of; the same as `base`' })),
    apps: Type.Optional(apps),
    transcoding: Type.Optional(section('What is transcoded first; null unsets it')),
    routing: Type.Optional(section('Where clients are sent; null unsets it')),
  },
  { ...closed, examples: [{ apps: { live: { note: 'the main channel', ladder: { template: 'abr' } } } }] },
);
const difference = Type.Object({
  path: Type.String({ examples: ['apps.live.ladder.template'] }),
  before: Type.Optional(Type.Unknown({ description: 'Absent: it was not there' })),
  after: Type.Optional(Type.Unknown({ description: 'Absent: it is not there' })),
});
const applied = Type.Object({
  version: Type.Integer({ description: 'The version that counts now' }),
  applied: Type.Boolean({ description: 'Whether anything was changed' }),
  changes: Type.Array(difference),
});
const versionFields = {
  version: Type.Integer({ examples: [7] }),
  at: Type.String({ format: 'date-time' }),
  who: Type.String({ examples: ['key:8a0d3c5e7f912b46'] }),
  action: Type.String({ examples: ['applySettings'] }),
  note: Type.String(),
  settings: Type.Integer({ description: 'How many apps, ladders and sections changed' }),
  state: literals(['done', 'applying'], '`applying`: it was begun, and is being finished'),
};
const version = Type.Object(versionFields);
const versionPage = Type.Object({ items: Type.Array(version), nextCursor: Type.Optional(Type.String()) });
const versionDetail = Type.Object({
  ...versionFields,
  changes: Type.Array(difference),
  before: Type.Unknown({ description: 'The document before it' }),
  after: Type.Unknown({ description: 'The document with it' }),
});

const flag = (description: string) => Type.Boolean({ default: false, description });
const base = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: DOCUMENT_VERSION_MAX,
    description: 'The version that is expected; another one is answered with 409',
  }),
);
const note = Type.String({ maxLength: 200, default: '', description: 'What it is for, in the list of versions' });
export const applyQuerySchema: TSchema = Type.Object(
  {
    dryRun: flag('Only say what would change'),
    prune: flag('Remove apps that are not named, but those of the configuration'),
    force: flag('Apply whatever version there is by now'),
    base,
    note,
  },
  closed,
);
export const rollbackQuerySchema: TSchema = Type.Object(
  { dryRun: flag('Only say what would change'), force: flag('Roll back whatever version there is by now'), base, note },
  closed,
);
export const settingsSchema: TSchema = settings;
export const settingsWishSchema: TSchema = settingsWish;
export const appliedSchema: TSchema = applied;
export const versionPageSchema: TSchema = versionPage;
export const versionDetailSchema: TSchema = versionDetail;
export const ladderResourceSchema: TSchema = ladder;
export const ladderWishSchema: TSchema = ladderWish;
export const routingResourceSchema: TSchema = routing;
export const routingWishSchema: TSchema = routingWish;
export const versionParamsSchema: TSchema = Type.Object(
  { version: Type.Integer({ minimum: 0, maximum: DOCUMENT_VERSION_MAX, description: 'A version of the settings', examples: [6] }) },
  closed,
);

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [
  Same<Static<typeof settings>, SettingsResource>,
  Same<Static<typeof applied>, AppliedSettings>,
  Same<Static<typeof versionPage>, SettingsVersionPage>,
  Same<Static<typeof versionDetail>, SettingsVersionDetail>,
  Same<Static<typeof ladder>, LadderResource>,
  Same<Static<typeof routing>, RoutingResource>,
] = [true, true, true, true, true, true];
void contractIsSchema;
