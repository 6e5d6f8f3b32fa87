import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { RECORDING_ENDS } from '../recording/mod.ts';
import type { RecordingPage, RecordingResource } from './recordings-contract.ts';
import { narrowedPageSchema } from './schemas.ts';

const closed = { additionalProperties: false };
const name = (description: string): ReturnType<typeof Type.String> => Type.String({ minLength: 1, maxLength: 64, description });

const recording = Type.Object({
  id: Type.String({ examples: ['98235999999999-8a0d3c5e7f91'] }),
  app: Type.String({ examples: ['live'] }),
  stream: Type.String({ description: "The stream's name in its app", examples: ['show'] }),
  node: Type.String({ description: 'The node that has the file', examples: ['n1'] }),
  state: Type.Union([Type.Literal('recording'), Type.Literal('ended')], { examples: ['ended'] }),
  startedAt: Type.String({ format: 'date-time' }),
  endedAt: Type.Optional(Type.String({ format: 'date-time' })),
  durationSeconds: Type.Number({ description: 'Of what is written', examples: [3600.2] }),
  sizeBytes: Type.Integer({ examples: [1_350_000_000] }),
  droppedFrames: Type.Integer({ description: 'Left out as the disk was slow, each time up to a keyframe', examples: [0] }),
  tracks: Type.Array(
    Type.Object({
      kind: Type.Union([Type.Literal('video'), Type.Literal('audio')]),
      codec: Type.String({ examples: ['h264'] }),
      width: Type.Optional(Type.Integer()),
      height: Type.Optional(Type.Integer()),
    }),
  ),
  reason: Type.Optional(
    Type.Object(
      { code: Type.String({ examples: ['stream-ended'] }), message: Type.String({ examples: [RECORDING_ENDS['stream-ended']] }) },
      { description: `Why it ended: ${Object.keys(RECORDING_ENDS).join(', ')}` },
    ),
  ),
});
const recordingPage = Type.Object({
  items: Type.Array(recording),
  nextCursor: Type.Optional(Type.String({ description: 'Give it as `cursor` for the next page; absent on the last page' })),
});

export const recordingSchema: TSchema = recording;
export const recordingPageSchema: TSchema = recordingPage;
export const recordingParamsSchema: TSchema = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, closed);
export const recordingFileQuerySchema: TSchema = Type.Object(
  {
    token: Type.Optional(
      Type.String({ maxLength: 512, description: 'Instead of a key: of the address that another node has given for this file' }),
    ),
  },
  closed,
);
export const recordingsQuerySchema: TSchema = narrowedPageSchema({
  app: Type.Optional(name('Of this app alone')),
  stream: Type.Optional(name('Of streams of this name alone')),
});

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [Same<Static<typeof recording>, RecordingResource>, Same<Static<typeof recordingPage>, RecordingPage>] = [
  true,
  true,
];
void contractIsSchema;
