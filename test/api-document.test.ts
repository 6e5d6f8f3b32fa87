import { beforeAll, describe, expect, it } from 'vitest';
import { allOperations, apiDocument } from '../scripts/api-document.mjs';
import { API_PREFIX, problemCodes } from '../src/api/mod.ts';
import { type DescribedOperation, operationsOf } from './fixtures/contract-calls.ts';
import { type JsonSchema, mismatch } from './fixtures/json-schema.ts';

let document: JsonSchema;
let operations: readonly DescribedOperation[];

beforeAll(async () => {
  document = await apiDocument();
  operations = operationsOf(document);
});

/** What is wrong with each operation, by its id; nothing is an empty list. */
const wrong = (judge: (operation: DescribedOperation) => string | undefined): string[] =>
  operations.flatMap((operation) => {
    const found = judge(operation);
    return found === undefined ? [] : [`${operation.id}: ${found}`];
  });

describe('the OpenAPI document of all operations', () => {
  it('has each of them once', () => {
    const wanted = allOperations().map(({ id }) => id);
    expect(new Set(wanted).size).toBe(wanted.length);
    expect(operations.map(({ id }) => id).sort()).toEqual(wanted.sort());
    expect(operations.every(({ path }) => path.startsWith(API_PREFIX))).toBe(true);
  });

  it('shows an example of each body and each answer, and each is right', () => {
    expect(
      wrong(({ body, bodyExample, answer, answerExample }) => {
        if (body !== undefined && bodyExample === undefined) return 'no example of the body';
        if (answer !== undefined && answer['type'] !== 'null' && answerExample === undefined) return 'no example of the answer';
        const inBody = body === undefined ? undefined : mismatch(body, withDefaults(body, bodyExample), document, 'body');
        return (
          inBody ?? (answer === undefined || answer['type'] === 'null' ? undefined : mismatch(answer, answerExample, document, 'answer'))
        );
      }),
    ).toEqual([]);
  });

  it('names the problems of each operation, one response a status', () => {
    const paths = document['paths'] as Record<string, Record<string, { responses: Record<string, unknown> }>>;
    expect(
      wrong(({ codes, path, method, scope }) => {
        const { responses = {} } = paths[path]?.[method.toLowerCase()] ?? {};
        const unknown = codes.filter((code) => !(code in problemCodes));
        if (unknown.length > 0) return `codes that are not known: ${unknown}`;
        const missing = codes.filter((code) => !(String(problemCodes[code as keyof typeof problemCodes].status) in responses));
        if (missing.length > 0) return `no response for ${missing}`;
        if (scope !== 'token' && !codes.includes('api.key-wrong')) return 'no word of wrong keys';
        const isOfOne = /\{(?!app\})[^}]+\}/.test(path);
        const isNotFound = codes.some((code) => problemCodes[code as keyof typeof problemCodes].status === 404);
        return isOfOne && !isNotFound ? 'what is answered where there is no such thing?' : undefined;
      }),
    ).toEqual([]);
  });

  it('says what each operation does', () => {
    const described = allOperations();
    expect(described.filter(({ summary, description }) => summary === '' || description.length < 10).map(({ id }) => id)).toEqual([]);
  });
});

/** What the server puts in the place of what was left out. */
function withDefaults(schema: JsonSchema, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const defaults = properties.filter(([, child]) => 'default' in child).map(([name, child]) => [name, child['default']]);
  return { ...Object.fromEntries(defaults), ...value };
}
