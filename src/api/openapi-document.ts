import type { Operation } from './operation.ts';
import { problemCodesOf, takesIdempotencyKey } from './operation-problems.ts';
import { PROBLEM_TYPE, type ProblemCode, problem, problemCodes } from './problem.ts';
import { exampleOf, type JsonSchema } from './schema-example.ts';
import { problemSchema } from './schemas.ts';

interface Described {
  [key: string]: unknown;
}

const IDEMPOTENCY_PARAMETER = {
  in: 'header',
  name: 'Idempotency-Key',
  required: false,
  description:
    'Any text that names this very request, such as a UUID: when the answer was lost, the same request with the same key gets it again, on any node, for 24 hours, and nothing is done twice',
  schema: { type: 'string', minLength: 1, maxLength: 130, examples: ['"8e03978e-40d5-43e8-bc93-6894a57f9324"'] },
};

/** Puts into a document what the routes do not say: examples, what may be left out, and by status the problems that each operation can answer with. */
export function completeDocument(document: object, operations: readonly Operation[]): object {
  const paths = at(document as Described, 'paths');
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  for (const methods of Object.values(paths))
    for (const described of Object.values(methods as Described)) {
      const operation = byId.get((described as Described)['operationId'] as string);
      if (operation !== undefined) complete(described as Described, operation);
    }
  const components = at(document as Described, 'components');
  components['schemas'] = { ...at(components, 'schemas'), Problem: problemSchema };
  (document as Described)['components'] = components;
  return document;
}

function complete(described: Described, operation: Operation): void {
  const { success, body, examples } = operation;
  if (described['parameters'] !== undefined) described['parameters'] = (described['parameters'] as Described[]).map(parameterAsSent);
  if (takesIdempotencyKey(operation)) described['parameters'] = [...((described['parameters'] as unknown[]) ?? []), IDEMPOTENCY_PARAMETER];
  if (body !== undefined)
    for (const media of Object.values(at(at(described, 'requestBody'), 'content')) as Described[]) {
      media['schema'] = asSent(media['schema']);
      media['example'] = examples?.body ?? exampleOf(body as unknown as JsonSchema);
    }
  const responses = at(described, 'responses');
  if (success.status !== 204)
    for (const media of Object.values(at(at(responses, String(success.status)), 'content')))
      (media as Described)['example'] = examples?.answer ?? exampleOf(success.schema as unknown as JsonSchema);
  for (const [status, description] of Object.entries(operation.otherAnswers ?? {})) responses[status] = { description };
  const codes = problemCodesOf(operation);
  described['x-scope'] = operation.scope;
  described['x-problem-codes'] = codes;
  for (const status of new Set(codes.map((code) => problemCodes[code].status)))
    responses[String(status)] = problemResponse(codes.filter((code) => problemCodes[code].status === status));
}

const parameterAsSent = (parameter: Described): Described =>
  'default' in at(parameter, 'schema') ? { ...parameter, required: false } : parameter;

/** What a caller may send: what has a default need not be there, although its handler always gets it. */
function asSent(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asSent);
  if (schema === null || typeof schema !== 'object') return schema;
  const properties = at(schema as Described, 'properties');
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (NO_SCHEMAS.has(keyword)) return [keyword, value];
      if (keyword !== 'required' || !Array.isArray(value)) return [keyword, asSent(value)];
      return [keyword, value.filter((name) => !('default' in at(properties, name as string)))];
    }),
  );
}

const NO_SCHEMAS: ReadonlySet<string> = new Set(['default', 'enum', 'const', 'example', 'examples']);

function problemResponse(codes: readonly ProblemCode[]): Described {
  return {
    description: codes.map((code) => problemCodes[code].title).join('; '),
    content: {
      [PROBLEM_TYPE]: {
        schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', properties: { code: { enum: codes } } }] },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problem(code, problemCodes[code].title) }])),
      },
    },
  };
}

const at = (object: Described, key: string): Described => (object[key] as Described | undefined) ?? {};
