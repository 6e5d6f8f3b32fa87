import { type Static, type TObject, type TSchema, type TUnsafe, Type } from '@sinclair/typebox';
import type { AppUsageNow, AppUsageResource, LimitsPatch, LimitsResource } from './limits-contract.ts';

const LIMIT_MAX = 1_000_000_000_000;

/** As one type and not as a choice of two; a whole number to those who check it where null stands for nothing, as in a document of settings. */
const limit = (description: string, example: number): TUnsafe<number | null> =>
  Type.Unsafe<number | null>({
    ...Type.Integer({ minimum: 0, maximum: LIMIT_MAX, description, examples: [example] }),
    type: ['integer', 'null'],
  });

const fields = {
  streams: limit('Streams that are published at a time; null: no limit', 10),
  viewers: limit('Viewers at a time, by all protocols; null: no limit', 5_000),
  bitrateInBps: limit('Bits a second of all its publishers together; null: no limit', 50_000_000),
  bitrateOutBps: limit('Bits a second to all its viewers together; null: no limit', 2_000_000_000),
  transcodeMinutes: limit('Minutes of rungs that are made in a month; null: no limit', 10_000),
  recordingMinutes: limit('Minutes of streams that are recorded in a month; null: no limit', 50_000),
};
const limits = Type.Object(fields, { description: 'Over the whole cluster' });
const patch = Type.Object(
  {
    streams: Type.Optional(fields.streams),
    viewers: Type.Optional(fields.viewers),
    bitrateInBps: Type.Optional(fields.bitrateInBps),
    bitrateOutBps: Type.Optional(fields.bitrateOutBps),
    transcodeMinutes: Type.Optional(fields.transcodeMinutes),
    recordingMinutes: Type.Optional(fields.recordingMinutes),
  },
  { additionalProperties: false, minProperties: 1, description: 'What is left out stays' },
);

const amount = (description: string): TObject<{ used: ReturnType<typeof Type.Integer>; limit: TUnsafe<number | null> }> =>
  Type.Object({ used: Type.Integer(), limit: Type.Unsafe<number | null>({ type: ['integer', 'null'] }) }, { description });

const usageNow = Type.Object(
  { streams: Type.Integer(), viewers: Type.Integer(), bitrateInBps: Type.Integer(), bitrateOutBps: Type.Integer() },
  { description: 'What it uses on all nodes at the moment' },
);
const usage = Type.Object({
  app: Type.String({ examples: ['live'] }),
  now: Type.Object({
    streams: amount('Published, or held over a drop'),
    viewers: amount('By all protocols; of HLS as far as they can be told apart'),
    bitrateInBps: amount('Of media from publishers'),
    bitrateOutBps: amount('To viewers, over the last seconds'),
  }),
  month: Type.Object(
    {
      name: Type.String({ description: 'The month, by UTC', examples: ['2026-11'] }),
      transcodeMinutes: amount('Of all rungs that were made'),
      recordingMinutes: amount('Of all streams that were recorded'),
      viewerMinutes: Type.Integer(),
      bytesIn: Type.Integer({ description: 'From publishers' }),
      bytesOut: Type.Integer({ description: 'To viewers' }),
    },
    { description: 'What it has used since the month began' },
  ),
});

export const limitsField: TUnsafe<LimitsResource> = Type.Unsafe<LimitsResource>(limits);
export const limitsPatchField: TUnsafe<LimitsPatch> = Type.Unsafe<LimitsPatch>(patch);
export const usageNowField: TUnsafe<AppUsageNow> = Type.Unsafe<AppUsageNow>(usageNow);
export const appUsageSchema: TSchema = usage;

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [
  Same<Static<typeof limits>, LimitsResource>,
  Same<Static<typeof patch>, LimitsPatch>,
  Same<Static<typeof usageNow>, AppUsageNow>,
  Same<Static<typeof usage>, AppUsageResource>,
] = [true, true, true, true];
void contractIsSchema;
