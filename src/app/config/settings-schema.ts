import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import { TASK_PINS_MAX, WEIGHT_MAX, WEIGHT_RULES_MAX } from '../../transcode/mod.ts';

const COUNT_MAX = 1_000_000_000;
const closed = { additionalProperties: false };
const pattern = Type.String({ default: '*', minLength: 1, maxLength: 64 });

const rule = Type.Object(
  {
    app: pattern,
    stream: pattern,
    rung: pattern,
    viewersMin: Type.Integer({ default: 0, minimum: 0, maximum: COUNT_MAX }),
    weight: Type.Number({ minimum: 0, maximum: WEIGHT_MAX }),
  },
  closed,
);
const pin = Type.Object(
  {
    stream: Type.String({ minLength: 3, maxLength: 129 }),
    rung: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    node: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  closed,
);

/** `transcoding` of a document of settings. */
export const transcodingSchema: TObject = Type.Object(
  {
    rules: Type.Array(rule, { default: [], maxItems: WEIGHT_RULES_MAX }),
    pins: Type.Array(pin, { default: [], maxItems: TASK_PINS_MAX }),
  },
  closed,
);

const networks: TSchema = Type.Record(Type.String(), Type.Array(Type.String({ minLength: 2, maxLength: 64 }), { maxItems: 4096 }), {
  default: {},
});
const weight = (fallback: number): TSchema => Type.Number({ default: fallback, minimum: 0, maximum: 1000 });

/** `routing` of a document of settings. */
export const routingSchema = (weights: { readonly hasStream: number; readonly headroom: number }): TObject =>
  Type.Object(
    {
      networks,
      regionHeader: Type.String({ default: '', maxLength: 64 }),
      weights: Type.Object({ hasStream: weight(weights.hasStream), headroom: weight(weights.headroom) }, { ...closed, default: {} }),
    },
    closed,
  );
