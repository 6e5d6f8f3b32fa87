// `npm run client [-- --check]`: writes src/client/generated from the OpenAPI document of the operations in src/api; with --check, only says
// whether what is there is right.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiDocument } from './api-document.mjs';
import { ClientTypes, comment, nameTypes } from './client-types.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'src/client/generated');
const HEAD = '// Written by `npm run client` from the OpenAPI document: change src/api, and run that.\n';
const camel = (text) => text.replaceAll(/-(\w)/g, (_match, letter) => letter.toUpperCase());

/** The operations of a document as methods: `POST /apps/{app}/keys/{id}/rotate` is `apps.keys.rotate(app, id, body)`. */
function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const short = path.replace(/^\/api\/v1/, '');
      const segments = short.split('/').filter((segment) => segment !== '' && !segment.startsWith('{'));
      const verb = /^[a-z]+/.exec(operation.operationId)[0];
      if (segments.length > 1 && segments.at(-1) === verb) segments.pop();
      const success = Object.entries(operation.responses).find(([status]) => status.startsWith('2'));
      const queries = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path: short,
        groups: segments.map(camel),
        verb,
        file: segments[0],
        typeFile: segments.slice(0, 2).join('-'),
        summary: operation.summary,
        description: operation.description,
        params: [...short.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
        query: queries.length === 0 ? undefined : querySchema(queries),
        body: operation.requestBody?.content['application/json']?.schema,
        answer: success?.[1].content?.['application/json']?.schema,
        media: Object.keys(success?.[1].content ?? {})[0],
        headers: (operation.parameters ?? []).filter((parameter) => parameter.in === 'header').map(({ name }) => name),
      };
    }),
  );
}

const querySchema = (parameters) => ({
  type: 'object',
  properties: Object.fromEntries(parameters.map(({ name, schema, description }) => [name, { ...schema, description }])),
  required: parameters.filter(({ required }) => required).map(({ name }) => name),
});

/** A stream of events is no answer that ends: it is listened to. What is no JSON is shown by its address. */
const isCall = ({ answer, media = 'application/json' }) =>
  media === 'application/json' && (answer === undefined || answer.type !== 'string');

/** Methods in their groups: a tree whose leaves are operations. */
function treeOf(operations) {
  const tree = {};
  for (const operation of operations) {
    let branch = tree;
    for (const group of operation.groups.slice(1)) branch = branch[group] ??= {};
    if (branch[operation.verb] !== undefined) throw new Error(`two operations would be ${operation.groups.join('.')}.${operation.verb}`);
    branch[operation.verb] = { operation };
  }
  return tree;
}

function signature({ params, query, body, answer, verb }, types, used) {
  const args = params.map((name) => `${name}: string`);
  if (body !== undefined) args.push(`body: ${types.text(body, used, true)}`);
  if (query !== undefined) args.push(`query?: ${types.text(query, used, true)}`);
  args.push('options?: CallOptions');
  return `readonly ${verb}: (${args.join(', ')}) => Promise<${answerText(answer, types, used)}>;`;
}

function answerText(answer, types, used) {
  if (answer === undefined || answer.type === 'null') return 'void';
  const items = answer.properties?.items?.items;
  if (items === undefined || Object.keys(answer.properties).some((name) => name !== 'items' && name !== 'nextCursor'))
    return types.text(answer, used, false);
  return `Page<${types.text(items, used, false)}>`;
}

const interfaceText = (tree, types, used) =>
  Object.entries(tree)
    .map(([name, branch]) => {
      if (branch.operation === undefined) return `readonly ${name}: {\n${interfaceText(branch, types, used)}\n};`;
      const { summary, description } = branch.operation;
      return `${comment(`${summary}. ${description}`)}${signature(branch.operation, types, used)}`;
    })
    .join('\n');

const implementationText = (tree) =>
  Object.entries(tree)
    .map(([name, branch]) =>
      branch.operation === undefined ? `${name}: {\n${implementationText(branch)}\n},` : `${name}: ${arrow(branch.operation)},`,
    )
    .join('\n');

function arrow({ method, path, params, query, body }) {
  const args = [...params, ...(body === undefined ? [] : ['body']), ...(query === undefined ? [] : ['query']), 'options'];
  const address = params.length === 0 ? `'${path}'` : `\`${path.replaceAll(/\{(\w+)\}/g, '$${part($1)}')}\``;
  const parts = [
    `method: '${method}'`,
    `path: ${address}`,
    ...(query === undefined ? [] : ['query']),
    ...(body === undefined ? [] : ['body']),
  ];
  return `(${args.join(', ')}) => send({ ${parts.join(', ')}, ...options })`;
}

/** The types of a file, and below them its group of methods, if it has one. */
function fileText(file, operations, types) {
  const used = new Set();
  const definitions = types.ofFile(file).map(({ name, schema, isRequest }) => {
    const text = types.text(schema, used, isRequest, true);
    const shown = comment(schema.description === 'As asked' ? undefined : schema.description);
    return `${shown}export ${text.startsWith('{') ? `interface ${name} ${text}` : `type ${name} = ${text};`}`;
  });
  const body = [...definitions, ...(operations === undefined ? [] : groupText(operations, types, used))].join('\n\n');
  const foreign = Map.groupBy(
    [...used].filter((type) => type.file !== file),
    (type) => type.file,
  );
  const imports = [...foreign].sort().map(([from, list]) => `import type { ${list.map(({ name }) => name).sort()} } from './${from}.ts';`);
  const needed = ['CallOptions', 'Page', 'PageQuery', 'Transport'].filter((word) => new RegExp(`\\b${word}\\b`).test(body));
  const asTypes = needed.map((word) => `type ${word}`);
  const words = body.includes('${part(') ? ['part', ...asTypes] : asTypes;
  const isValue = words.includes('part');
  const own =
    needed.length === 0 ? [] : [`import ${isValue ? '' : 'type '}{ ${(isValue ? words : needed).join(', ')} } from '../transport.ts';`];
  return `${[...own, ...imports].join('\n')}\n\n${body}\n`;
}

function groupText(operations, types, used) {
  const group = operations[0].groups[0];
  const name = `${group[0].toUpperCase()}${group.slice(1)}Api`;
  const tree = treeOf(operations.filter(isCall));
  return [
    `export interface ${name} {\n${interfaceText(tree, types, used)}\n}`,
    `export const ${group}Api = (send: Transport): ${name} => ({\n${implementationText(tree)}\n});`,
  ];
}

function indexText(groups, files) {
  const names = [...groups].map(
    ([
      file,
      [
        {
          groups: [group],
        },
      ],
    ]) => ({ file, group, face: `${group[0].toUpperCase()}${group.slice(1)}Api` }),
  );
  return `import type { Transport } from '../transport.ts';
${names.map(({ file, group, face }) => `import { type ${face}, ${group}Api } from './${file}.ts';`).join('\n')}

${files.map((file) => `export type * from './${file}.ts';`).join('\n')}

/** All operations of the API, by resource. */
export interface SluiceClient {
${names.map(({ group, face }) => `readonly ${group}: ${face};`).join('\n')}
}

/** A client that makes its calls by \`send\`. */
export const createClient = (send: Transport): SluiceClient => ({
${names.map(({ group }) => `${group}: ${group}Api(send),`).join('\n')}
});
`;
}

/** As the linter wants them; all at once, for its start takes longer than its work. */
function formatted(texts) {
  const mark = (file) => `mark('${file}');\n`;
  const input = [...texts].map(([file, text]) => mark(file) + text).join('\n');
  const options = ['check', '--write', '--linter-enabled=false', '--stdin-file-path=src/client/generated/all.ts'];
  const run = spawnSync(join(root, 'node_modules/.bin/biome'), options, {
    cwd: root,
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(`the client cannot be formatted: ${run.stderr}`);
  const parts = run.stdout.split(/^mark\('(.+)'\);\n/m).slice(1);
  return new Map(texts.keys().map((file, nth) => [file, `${HEAD}${parts[nth * 2 + 1].trim()}\n`]));
}

const operations = operationsOf(await apiDocument());
const types = new ClientTypes();
nameTypes(types, operations.filter(isCall));
const byName = ([left], [right]) => (left < right ? -1 : 1);
const groups = new Map([...Map.groupBy(operations, ({ file }) => file)].filter(([, list]) => list.some(isCall)).sort(byName));
const names = [...new Set([...groups.keys(), ...types.files()])].sort();
const files = new Map(names.map((file) => [`${file}.ts`, fileText(file, groups.get(file), types)]));
files.set('client.ts', indexText(groups, names));
const wanted = formatted(files);

mkdirSync(folder, { recursive: true });
const there = readdirSync(folder);
if (process.argv.includes('--check')) {
  const old = [...wanted].filter(([file, text]) => !there.includes(file) || readFileSync(join(folder, file), 'utf8') !== text);
  const gone = there.filter((file) => !wanted.has(file));
  if (old.length + gone.length > 0) {
    console.log(
      `src/client/generated is not what src/api says (${[...old.map(([file]) => file), ...gone].join(', ')}): run "npm run client"`,
    );
    process.exit(1);
  }
} else {
  for (const file of there) if (!wanted.has(file)) rmSync(join(folder, file));
  for (const [file, text] of wanted) writeFileSync(join(folder, file), text);
}
