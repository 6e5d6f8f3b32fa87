import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { ApiError } from './problem.ts';
import type { JsonSchema } from './schema-example.ts';

/** What Ajv tells with `verbose`. */
type Fault = FastifySchemaValidationError & { readonly parentSchema?: JsonSchema; readonly data?: unknown };

const PLACES: Readonly<Record<string, string>> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' };
/** What is the matter by these is said by what is wanted. */
const WANTED = new Set(['minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'minItems', 'maxItems']);
const NAME_LENGTH_MAX = 64;

/** The problem of values that are not as a schema says: where, and what would be right. The values are not repeated, for they may be secrets. */
export function schemaProblem(faults: readonly FastifySchemaValidationError[], place: string): ApiError {
  // Of a choice, what each branch has against the value comes first, and the choice itself last.
  const fault = faults.at(-1) as Fault;
  const where = [PLACES[place] ?? place, ...fault.instancePath.split('/').slice(1).map(named)].reduce(joined);
  return new ApiError('api.bad-request', sentence(fault, where));
}

function sentence({ keyword, params, parentSchema = {}, data, message = 'is not right' }: Fault, where: string): string {
  const properties = (parentSchema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const names = Object.keys(properties).join(', ') || 'nothing';
  if (keyword === 'additionalProperties') {
    const unknown = String(params['additionalProperty']).slice(0, NAME_LENGTH_MAX);
    return `${joined(where, unknown)} is not known: ${where} takes ${names}`;
  }
  if (keyword === 'required') {
    const name = String(params['missingProperty']);
    return `${joined(where, name)} is missing: it must be ${wanted(properties[name] ?? {})}`;
  }
  if (keyword === 'minProperties') return `${where} is empty: it takes ${names}`;
  if (WANTED.has(keyword)) return `${where} must be ${wanted(parentSchema)}`;
  const isOfKind = keyword === 'type' || keyword === 'anyOf' || keyword === 'const' || keyword === 'enum';
  return isOfKind ? `${where} must be ${wanted(parentSchema)}; it is ${kindOf(data)}` : `${where} ${message}`;
}

/** What a schema takes, in words. */
function wanted(schema: JsonSchema): string {
  const choices = schema['anyOf'] as readonly JsonSchema[] | undefined;
  if (choices !== undefined) return [...new Set(choices.map(wanted))].join(' or ');
  const values = 'const' in schema ? [schema['const']] : (schema['enum'] as readonly unknown[] | undefined);
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' or ');
  return [schema['type']]
    .flat()
    .map((type) => wantedType(type, schema))
    .join(' or ');
}

function wantedType(type: unknown, { minimum, maximum, minItems, maxItems, minLength, maxLength, pattern }: JsonSchema): string {
  if (type === 'integer') return `a whole number${range(minimum, maximum)}`;
  if (type === 'number') return `a number${range(minimum, maximum)}`;
  if (type === 'array') return `a list${range(minItems, maxItems, ' items')}`;
  if (type === 'string')
    return `a text${range(minLength, maxLength, ' characters')}${pattern === undefined ? '' : ` like ${String(pattern)}`}`;
  if (type === 'boolean') return 'true or false';
  return type === 'null' ? 'null' : 'an object';
}

function range(from: unknown, to: unknown, unit = ''): string {
  if (from === undefined && to === undefined) return '';
  if (from === undefined) return ` of at most ${String(to)}${unit}`;
  return to === undefined ? ` of at least ${String(from)}${unit}` : ` of ${String(from)} to ${String(to)}${unit}`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null or left out';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'another text';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a number';
  return typeof value === 'boolean' ? String(value) : 'an object';
}

/** `body` and `limits` are `body.limits`; `body` and `0` are `body[0]`. */
const joined = (before: string, part: string): string => (/^\d+$/.test(part) ? `${before}[${part}]` : `${before}.${part}`);
/** A part of a JSON Pointer (RFC 6901). */
const named = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');
