import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type {
  AllocationDecisionPage,
  AllocationDecisionResource,
  TranscodingPoolResource,
  TranscodingWeightsResource,
} from './allocation-contract.ts';
import { narrowedPageSchema } from './schemas.ts';

const NAME = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$';
const PATTERN = '^[A-Za-z0-9_.*-]{1,64}$';
const STREAM = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$';
const closed = { additionalProperties: false } as const;

const pattern = (description: string): ReturnType<typeof Type.String> => Type.String({ pattern: PATTERN, default: '*', description });

const weights = Type.Object(
  {
    rules: Type.Array(
      Type.Object(
        {
          app: pattern('Pattern of the app; `*` stands for any characters'),
          stream: pattern("Pattern of the stream's name"),
          rung: pattern("Pattern of the rung's name"),
          viewersMin: Type.Integer({
            minimum: 0,
            default: 0,
            description: 'Only for streams that so many watch: their source and all rungs, on all nodes',
          }),
          weight: Type.Number({
            minimum: 0,
            maximum: 1_000_000,
            description: 'Of one viewer; 1 without a rule, 0: never made',
            examples: [5],
          }),
        },
        closed,
      ),
      { maxItems: 200, default: [], description: 'The first one that matches decides' },
    ),
    pins: Type.Array(
      Type.Object(
        {
          stream: Type.String({ pattern: STREAM, description: '`app/name`', examples: ['live/show'] }),
          rung: Type.Optional(Type.String({ pattern: NAME, description: 'Absent: all rungs of the stream' })),
          node: Type.Optional(Type.String({ pattern: NAME, description: 'Made there while that node takes tasks; absent: on any' })),
        },
        closed,
      ),
      { maxItems: 500, default: [], description: 'What comes before all that is not pinned, while somebody wants it' },
    ),
  },
  closed,
);

export const transcodingWeightsSchema: TSchema = weights;
export const decisionQuerySchema: TSchema = narrowedPageSchema({
  node: Type.Optional(Type.String({ maxLength: 64, description: 'Only what this node was given to make' })),
});

const decision = Type.Object({
  at: Type.String({ format: 'date-time' }),
  stream: Type.String({ description: '`app/name`', examples: ['live/show'] }),
  rung: Type.String({ examples: ['720p'] }),
  node: Type.Optional(Type.String({ description: 'Absent: it is not made' })),
  reason: Type.String({
    description: '`running`, `room`, `outranks`, `moved`; `limit`, `displaced`, `weight`, `no-node`',
    examples: ['room'],
  }),
  message: Type.String({ examples: ['node n3 has room for it'] }),
  viewers: Type.Integer(),
  score: Type.Number({ description: 'Viewers times weight' }),
  epoch: Type.Integer({ description: 'Of the claim by which it was decided' }),
});

const decisionPage = Type.Object({ items: Type.Array(decision), nextCursor: Type.Optional(Type.String()) });
export const allocationDecisionPageSchema: TSchema = decisionPage;

const pool = Type.Object({
  allocator: Type.Optional(
    Type.String({ description: 'The manager that allocates; absent: none does, and origins place their rungs themselves' }),
  ),
  epoch: Type.Optional(Type.Integer()),
  nodes: Type.Array(
    Type.Object({
      node: Type.String(),
      state: Type.String({ description: '`active`, `draining`, `disabled` or `stale`', examples: ['active'] }),
      tasks: Type.Integer(),
      tasksMax: Type.Integer(),
    }),
  ),
  waiting: Type.Integer({ description: 'Rungs that are wanted and not made' }),
});
export const transcodingPoolSchema: TSchema = pool;

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const same: [
  Same<Static<typeof weights>, TranscodingWeightsResource>,
  Same<Static<typeof decision>, AllocationDecisionResource>,
  Same<Static<typeof decisionPage>, AllocationDecisionPage>,
  Same<Static<typeof pool>, TranscodingPoolResource>,
] = [true, true, true, true];
void same;
