// JSON Schema as TypeScript: interfaces for what operations take and answer, each named once.

/** The query of every plain list. */
const isPageQuery = ({ properties = {} }) => Object.keys(properties).sort().join() === 'cursor,limit';

const PROSE = ['description', 'examples', 'example', 'default', 'title'];
const pascal = (text) => text[0].toUpperCase() + text.slice(1);
const canonical = (schema) =>
  JSON.stringify(schema, (key, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([name]) => key === 'properties' || !PROSE.includes(name))
            .sort(([left], [right]) => (left < right ? -1 : 1)),
        )
      : value,
  );

/** The names of types, and in which file each stands. */
export class ClientTypes {
  /** By the schema's own text. */
  #byShape = new Map();
  #names = new Set(['Page', 'PageQuery']);

  /** Names a schema, unless its shape has a name already. */
  name(schema, name, file, isRequest) {
    const shape = `${isRequest ? 'request ' : ''}${canonical(schema)}`;
    if (this.#byShape.has(shape)) return;
    let free = name;
    for (let count = 2; this.#names.has(free); count++) free = `${name}${count}`;
    this.#names.add(free);
    this.#byShape.set(shape, { name: free, file, schema, isRequest });
  }

  isTaken(name) {
    return this.#names.has(name);
  }

  files() {
    return [...new Set([...this.#byShape.values()].map(({ file }) => file))];
  }

  /** All types of a file. */
  ofFile(file) {
    return [...this.#byShape.values()].filter((type) => type.file === file);
  }

  /** How a schema is written; `used` gathers the named types that it mentions. */
  text(schema, used, isRequest, isDefinition = false) {
    if (isRequest && schema.type === 'object' && isPageQuery(schema)) return 'PageQuery';
    if (!isDefinition) {
      const known = this.#byShape.get(`${isRequest ? 'request ' : ''}${canonical(schema)}`);
      if (known !== undefined) {
        used.add(known);
        return known.name;
      }
    }
    if (schema.anyOf !== undefined) return schema.anyOf.map((option) => this.text(option, used, isRequest)).join(' | ');
    if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
    if ('const' in schema) return JSON.stringify(schema.const);
    if (Array.isArray(schema.type)) return schema.type.map((type) => this.text({ ...schema, type }, used, isRequest)).join(' | ');
    switch (schema.type) {
      case 'object':
        return this.#object(schema, used, isRequest);
      case 'array': {
        const item = this.text(schema.items ?? {}, used, isRequest);
        return /[|{ ]/.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`;
      }
      case 'integer':
      case 'number':
        return 'number';
      case 'string':
      case 'boolean':
      case 'null':
        return schema.type;
      default:
        return 'unknown';
    }
  }

  #object(schema, used, isRequest) {
    const properties = Object.entries(schema.properties ?? {});
    if (properties.length === 0) {
      const more = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
      const values = more ?? Object.values(schema.patternProperties ?? {})[0];
      return `Record<string, ${values === undefined ? 'unknown' : this.text(values, used, isRequest)}>`;
    }
    const required = new Set(schema.required ?? []);
    const lines = properties.map(([name, child]) => {
      // What has a default may be left out of a request, and is there in every answer.
      const isOptional = !required.has(name) || (isRequest && 'default' in child);
      const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
      return `${comment(child.description)}${key}${isOptional ? '?' : ''}: ${this.text(child, used, isRequest)};`;
    });
    return `{\n${lines.join('\n')}\n}`;
  }
}

/** A doc comment, or nothing. */
export const comment = (text) =>
  text === undefined || text === '' ? '' : `/** ${text.replaceAll('*/', '* /').replaceAll('\n', ' ')} */\n`;

const singular = (word) => word.replace(/ies$/, 'y').replace(/s$/, '');

/** Names what the operations take and answer: what one asks for by itself first, for lists are of the same. */
export function nameTypes(types, operations) {
  const rank = ({ id }) => (id.startsWith('get') ? 0 : id.startsWith('list') ? 1 : 2);
  for (const { id, typeFile: file, answer, body, query } of [...operations].sort((left, right) => rank(left) - rank(right))) {
    const [, verb, rest] = /^([a-z]+)(.*)$/.exec(id);
    const subject = rest === '' ? pascal(verb) : rest;
    if (answer?.type === 'object') {
      const items = answer.properties?.items?.items;
      if (verb === 'list' && items !== undefined) {
        if (items.type === 'object')
          types.name(items, types.isTaken(singular(subject)) ? `${singular(subject)}Item` : singular(subject), file, false);
      } else types.name(answer, answerName(verb, subject, id), file, false);
    }
    if (body?.type === 'object') types.name(body, `${pascal(id)}Request`, file, true);
    if (query !== undefined && !isPageQuery(query)) types.name(query, `${pascal(id)}Query`, file, true);
  }
}

function answerName(verb, subject, id) {
  if (verb === 'get') return subject;
  return ['create', 'add', 'rotate', 'make'].includes(verb) ? `New${subject}` : `${pascal(id)}Answer`;
}
