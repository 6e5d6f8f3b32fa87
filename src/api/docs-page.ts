/** The little of an OpenAPI document that the page shows. */
interface Described {
  readonly [key: string]: unknown;
}

/** The style of the pages that the server writes itself; it stands in them, so their policy has to name its hash. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
section { border-top: 1px solid #8886; padding-top: 1rem; margin-top: 2rem; }
h2 { font-size: 1.15rem; } code { font-family: ui-monospace, monospace; font-size: .92em; }
.method { font-weight: 700; padding: .1rem .5rem; border-radius: .3rem; background: #0b62; margin-right: .5rem; }
.delete { background: #c222; } table { border-collapse: collapse; width: 100%; } .scroll { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8883; vertical-align: top; }
`;

/** A readable page of an OpenAPI document: plain HTML without scripts, light and dark. */
export function docsPage(openApi: object): string {
  const document = openApi as Described;
  const info = at(document, 'info');
  const calls = Object.entries(at(document, 'paths')).flatMap(([path, methods]) =>
    Object.entries(methods as Described).map(([method, operation]) => call(method, path, operation as Described)),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sluice API</title>
<style>${PAGE_STYLE}</style></head><body><main>
<h1>Sluice API <small>${escapeHtml(info['version'])}</small></h1>
<p>${prose(info['description'])} Calls that change something need an API key: <code>Authorization: Bearer sk_…</code>.
The document for programs is <a href="/api/v1/openapi.json">/api/v1/openapi.json</a> (OpenAPI 3.1).</p>
${calls.join('\n')}
</main></body></html>
`;
}

function call(method: string, path: string, operation: Described): string {
  const parameters = (operation['parameters'] as Described[] | undefined) ?? [];
  const needsKey = operation['security'] !== undefined;
  const responses = Object.entries(at(operation, 'responses')).map(([status, response]) => answer(status, response as Described));
  return `<section><h2><span class="method ${escapeHtml(method)}">${escapeHtml(method.toUpperCase())}</span><code>${escapeHtml(path)}</code></h2>
<p><strong>${escapeHtml(operation['summary'])}.</strong> ${prose(operation['description'])}${needsKey ? ' Needs an admin key.' : ''}</p>
${parameters.length === 0 ? '' : table(['parameter', 'in', 'type', 'meaning'], parameters.map(parameter))}
${responses.join('\n')}</section>`;
}

function parameter(described: Described): string[] {
  const schema = at(described, 'schema');
  const meaning = described['description'] ?? schema['description'];
  const fallback = schema['default'] === undefined ? '' : ` Default ${String(schema['default'])}.`;
  return [code(described['name']), escapeHtml(described['in']), code(typeName(schema)), prose(meaning) + escapeHtml(fallback)];
}

function answer(status: string, response: Described): string {
  const media = Object.entries(at(response, 'content'))[0];
  const title = `<h3>${status === 'default' ? 'Errors' : escapeHtml(status)}${media === undefined ? '' : ` <code>${escapeHtml(media[0])}</code>`}</h3>`;
  if (media === undefined) return `${title}<p>No body.</p>`;
  return `${title}${table(['field', 'type', 'meaning'], fields(at(media[1] as Described, 'schema'), ''))}`;
}

/** One row a field, those of nested objects behind a dotted name. */
function fields(schema: Described, prefix: string): string[][] {
  return Object.entries(at(schema, 'properties')).flatMap(([name, child]) => {
    const described = child as Described;
    const isArray = described['type'] === 'array';
    const inner = isArray ? at(described, 'items') : described;
    const path = `${prefix}${name}${isArray ? '[]' : ''}`;
    return [[code(path), code(typeName(inner)), prose(described['description'])], ...fields(inner, `${path}.`)];
  });
}

function typeName(schema: Described): string {
  const options = schema['anyOf'] as Described[] | undefined;
  return options === undefined ? String(schema['type'] ?? '') : options.map((option) => JSON.stringify(option['const'])).join(' | ');
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
