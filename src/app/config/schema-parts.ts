import {
  type TBoolean,
  type TInteger,
  type TLiteral,
  type TObject,
  type TSchema,
  type TString,
  type TUnsafe,
  Type,
} from '@sinclair/typebox';

// The kinds of keys that the configuration is made of.

export const integer = (fallback: number, minimum: number, maximum: number, description: string): TInteger =>
  Type.Integer({ default: fallback, minimum, maximum, description });
export const flag = (fallback: boolean, description: string): TBoolean => Type.Boolean({ default: fallback, description });
export const text = (fallback: string, description: string): TString => Type.String({ default: fallback, description });
/** One of several words. */
export const choice = <const Choices extends readonly string[]>(
  fallback: Choices[number],
  choices: Choices,
  description: string,
): TUnsafe<Choices[number]> =>
  Type.Unsafe(
    Type.Union(
      choices.map((value): TLiteral => Type.Literal(value)),
      { default: fallback, description },
    ),
  );
export const group = <Properties extends Record<string, TSchema>>(description: string, properties: Properties): TObject<Properties> =>
  Type.Object(properties, { description, additionalProperties: false });

export const host: TString = text(
  '*',
  'Address to listen on. `*` is every address of this machine, IPv4 and IPv6; `127.0.0.1` is this machine alone.',
);
export const port = (fallback: number, description: string): TInteger =>
  integer(fallback, 0, 65_535, `${description} 0 takes any free port.`);
