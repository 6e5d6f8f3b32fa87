/** The little of an OpenAPI document that the page shows. */
interface Described {
  readonly [key: string]: unknown;
}

/** The style of the pages that the server writes itself; it stands in them, so their policy has to name its hash. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
section { border-top: 1px solid #8886; padding-top: 1rem; margin-top: 2rem; }
.group { margin-top: 3rem; } h3 { font-size: 1.15rem; } h4 { font-size: 1rem; } nav ul { margin: 0 0 .5rem; } code { font-family: ui-monospace, monospace; font-size: .92em; }
.method { font-weight: 700; padding: .1rem .5rem; border-radius: .3rem; background: #0b62; margin-right: .5rem; }
.delete { background: #c222; } pre { overflow-x: auto; padding: .6rem .8rem; border-radius: .3rem; background: #8882; font-size: .88em; }
h1, h2, h3, h4, p, li, code { overflow-wrap: anywhere; }
summary { cursor: pointer; } table { border-collapse: collapse; width: 100%; } .scroll { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8883; vertical-align: top; }
`;

/** A readable page of an OpenAPI document: plain HTML without scripts, light and dark. */
export function docsPage(openApi: object): string {
  const document = openApi as Described;
  const info = at(document, 'info');
  const groups = groupsOf(at(document, 'paths'));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sluice API</title>
<style>${PAGE_STYLE}</style></head><body><main>
<h1>Sluice API <small>${escapeHtml(info['version'])}</small></h1>
<p>${prose(info['description'])} Calls that change something need an API key: <code>Authorization: Bearer sk_…</code>.
The document for programs is <a href="/api/v1/openapi.json">/api/v1/openapi.json</a> (OpenAPI 3.1).</p>
<nav aria-label="Calls">${[...groups].map(([name, calls]) => contents(name, calls)).join('')}</nav>
${[...groups].map(([name, calls]) => `<h2 class="group">${escapeHtml(title(name))}</h2>${calls.map(call).join('\n')}`).join('\n')}
</main></body></html>
`;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly operation: Described;
}

/** The calls by their tag, in the order of the document. */
function groupsOf(paths: Described): ReadonlyMap<string, readonly Call[]> {
  const groups = new Map<string, Call[]>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, described] of Object.entries(methods as Described)) {
      const operation = described as Described;
      const tag = String((operation['tags'] as unknown[] | undefined)?.[0] ?? '');
      groups.set(tag, [...(groups.get(tag) ?? []), { method, path, operation }]);
    }
  return groups;
}

const title = (tag: string): string => tag.charAt(0).toUpperCase() + tag.slice(1);

function contents(name: string, calls: readonly Call[]): string {
  const links = calls.map(
    ({ operation }) => `<li><a href="#${escapeHtml(operation['operationId'])}">${escapeHtml(operation['summary'])}</a></li>`,
  );
  return `<details><summary>${escapeHtml(title(name))}</summary><ul>${links.join('')}</ul></details>`;
}

function call({ method, path, operation }: Call): string {
  const parameters = (operation['parameters'] as Described[] | undefined) ?? [];
  const security = operation['security'] as Described[] | undefined;
  const needsKey = security?.every((shown) => Object.keys(shown).length > 0) === true && security.some((shown) => 'apiKey' in shown);
  const responses = Object.entries(at(operation, 'responses'));
  const done = responses.filter(([status]) => status.startsWith('2')).map(([status, response]) => answer(status, response as Described));
  return `<section id="${escapeHtml(operation['operationId'])}"><h3><span class="method ${escapeHtml(method)}">${escapeHtml(method.toUpperCase())}</span><code>${escapeHtml(path)}</code></h3>
<p><strong>${escapeHtml(operation['summary'])}.</strong> ${prose(operation['description'])}${needsKey ? ' Needs an API key that may do this.' : ''}</p>
${parameters.length === 0 ? '' : table(['parameter', 'in', 'type', 'meaning'], parameters.map(parameter))}
${request(at(operation, 'requestBody'))}
${done.join('\n')}
${problems(responses)}</section>`;
}

function request(body: Described): string {
  const media = Object.values(at(body, 'content'))[0] as Described | undefined;
  if (media === undefined) return '';
  return `<h4>Body</h4>${table(['field', 'type', 'meaning'], fields(at(media, 'schema'), ''))}${example(media)}`;
}

const example = (media: Described): string => {
  const shown = media['example'];
  if (shown === undefined) return '';
  return `<details><summary>Example</summary><pre>${escapeHtml(typeof shown === 'string' ? shown : JSON.stringify(shown, null, 2))}</pre></details>`;
};

/** One row a code, by status. */
function problems(responses: readonly [string, unknown][]): string {
  const rows = responses.flatMap(([status, response]) => {
    const media = Object.values(at(response as Described, 'content'))[0] as Described | undefined;
    return /^[45]/.test(status)
      ? Object.entries(at(media ?? {}, 'examples')).map(([name, shown]) => [
          escapeHtml(status),
          code(name),
          prose(at(shown as Described, 'value')['title']),
        ])
      : [];
  });
  return rows.length === 0 ? '' : `<details><summary>Errors</summary>${table(['status', 'code', 'meaning'], rows)}</details>`;
}

function parameter(described: Described): string[] {
  const schema = at(described, 'schema');
  const meaning = described['description'] ?? schema['description'];
  const place = `${escapeHtml(described['in'])}${described['required'] === true ? '' : ', optional'}`;
  return [code(described['name']), place, code(typeName(schema)), meaningOf(schema, meaning)];
}

function answer(status: string, response: Described): string {
  const media = Object.entries(at(response, 'content'))[0];
  const head = `<h4>${escapeHtml(status)}${media === undefined ? '' : ` <code>${escapeHtml(media[0])}</code>`}</h4>`;
  if (media === undefined) return `${head}<p>No body.</p>`;
  return `${head}${table(['field', 'type', 'meaning'], fields(at(media[1] as Described, 'schema'), ''))}${example(media[1] as Described)}`;
}

/** One row a field, those of nested objects behind a dotted name. */
function fields(schema: Described, prefix: string): string[][] {
  const required = new Set(schema['required'] as string[] | undefined);
  return Object.entries(at(schema, 'properties')).flatMap(([name, child]) => {
    const described = child as Described;
    const isArray = described['type'] === 'array';
    const inner = isArray ? at(described, 'items') : described;
    const path = `${prefix}${name}${isArray ? '[]' : ''}`;
    const optional = required.has(name) ? '' : ' <small>optional</small>';
    return [
      [code(path) + optional, code(typeName(inner)), meaningOf(described, described['description'])],
      ...fields(shapeOf(inner), `${path}.`),
    ];
  });
}

/** Of several shapes one that has the fields of all. */
function shapeOf(schema: Described): Described {
  const shapes = optionsOf(schema).filter((option) => 'properties' in option);
  if (shapes.length < 2) return shapes[0] ?? {};
  const names = new Set(shapes.flatMap((shape) => Object.keys(at(shape, 'properties'))));
  const properties = [...names].map((name) => {
    const variants = shapes
      .map((shape) => at(shape, 'properties')[name] as Described | undefined)
      .filter((variant) => variant !== undefined);
    return [name, { ...variants[0], anyOf: variants }];
  });
  const required = [...names].filter((name) =>
    shapes.every((shape) => (shape['required'] as string[] | undefined)?.includes(name) === true),
  );
  return { properties: Object.fromEntries(properties), required };
}

/** What is in the way of a value, behind what it means. */
function meaningOf(schema: Described, meaning: unknown): string {
  const { default: fallback, minimum, maximum, maxLength } = schema;
  const notes = [
    minimum === undefined || maximum === undefined ? '' : `${String(minimum)} to ${String(maximum)}`,
    maxLength === undefined ? '' : `at most ${String(maxLength)} characters`,
    fallback === undefined || fallback === '' ? '' : `${JSON.stringify(fallback)} when it is left out`,
  ].filter((note) => note !== '');
  const said = prose(meaning);
  if (notes.length === 0) return said;
  return said === '' ? escapeHtml(notes.join('; ')) : `${said} (${escapeHtml(notes.join('; '))})`;
}

const optionsOf = (schema: Described): readonly Described[] => (schema['anyOf'] as Described[] | undefined) ?? [schema];

/** As in TypeScript. */
const typeName = (schema: Described): string => [...new Set(optionsOf(schema).flatMap(typeNames))].join(' | ');

function typeNames(schema: Described): readonly string[] {
  if ('const' in schema) return [JSON.stringify(schema['const'])];
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value));
  if (schema['anyOf'] !== undefined) return [typeName(schema)];
  return [schema['type'] ?? 'any'].flat().map(String);
}

const table = (head: string[], rows: string[][]): string =>
  `<div class="scroll"><table><thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</tbody></table></div>`;

const at = (object: Described, key: string): Described => (object[key] as Described | undefined) ?? {};
const escapeHtml = (value: unknown): string =>
  String(value ?? '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;');
const code = (value: unknown): string => `<code>${escapeHtml(value)}</code>`;
const prose = (value: unknown): string => escapeHtml(value).replace(/`([^`]+)`/g, '<code>$1</code>');
