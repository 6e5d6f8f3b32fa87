/** The little of JSON Schema that the API's schemas are written in. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** What stands for a text whose schema has no example, by the name of the field. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  app: 'live',
  name: 'show',
  path: 'live/show',
  stream: 'live/show',
  id: '8a0d3c5e7f912b46',
  node: 'nq3d5k7w2h4m6r5ta',
  origin: 'nq3d5k7w2h4m6r5ta',
  from: 'nq3d5k7w2h4m6r5ta',
  to: 'nq7m2h4k9w3d5r6tb',
  region: 'eu',
  version: '0.1.0',
  address: '192.0.2.7',
  agent: 'obs-output module (libobs version 31.0.0)',
  codec: 'h264',
  codecString: 'avc1.64001f',
  protocol: 'rtmp',
  rendition: '720p',
  reason: 'room',
  message: 'Target backup: the connection was refused',
  hls: '/live/show/index.m3u8',
  flv: '/live/show.flv',
  watch: '/watch/live/show',
  whep: '/live/show/whep',
  who: 'key:8a0d3c5e7f912b46',
  action: 'createApp',
  target: '/apps/news',
  url: 'https://hooks.example.org/sluice',
  jti: 'viewer-4711',
  note: 'studio 1',
  key: 'SECRET',
  secret: 'SECRET',
  scope: 'app:live',
  csr: '-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n',
  certificate: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
  ca: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
  nodeId: 'nq3d5k7w2h4m6r5ta',
  clusterId: 'c5f1c9a2be07d',
  clusterName: 'main',
  usedBy: 'nq3d5k7w2h4m6r5ta',
  folder: '/var/lib/sluice/cluster',
  rung: '720p',
  type: 'stream.started',
};
/** What stands for a number, likewise: of one stream with a dozen viewers on a node that has nothing to complain about. */
const NUMBER_BY_NAME: Readonly<Record<string, number>> = {
  uptimeSeconds: 3600,
  stateSeconds: 3600,
  width: 1280,
  height: 720,
  frameRate: 30,
  sampleRate: 48_000,
  channels: 2,
  bitrateBps: 2_500_000,
  bitrateInBps: 2_500_000,
  bitrateOutBps: 30_000_000,
  networkInBps: 2_500_000,
  networkOutBps: 30_000_000,
  mediaInBps: 2_500_000,
  mediaOutBps: 30_000_000,
  bytesIn: 1_125_000_000,
  bytesOut: 13_500_000_000,
  bytesSent: 1_125_000_000,
  keyframeIntervalMs: 2000,
  framesIn: 276_750,
  framesOut: 276_745,
  total: 12,
  viewers: 12,
  active: 12,
  score: 12,
  hls: 12,
  used: 12,
  limit: 100,
  tasksMax: 4,
  viewerMinutes: 720,
  durationMs: 42,
  p50Ms: 4,
  p99Ms: 12,
  cpuSeconds: 412.5,
  queuedMs: 40,
  httpStatus: 503,
  driftMs: -12,
};
/** What there is none of, as things should be. */
const NONE: ReadonlySet<string> = new Set(
  ['flv', 'rtmp', 'webrtc', 'draining', 'disabled', 'stale', 'retries', 'restarts', 'waiting'].concat([
    'timestampJumps',
    'malformedFrames',
    'framesDropped',
    'configuredKeys',
  ]),
);
const TIME = '2026-01-02T03:04:05.000Z';

/** An example of what a schema allows, made of the examples in it. `name`: of the field that it is for. */
export function exampleOf(schema: JsonSchema, name = ''): unknown {
  const given = givenExample(schema);
  if (given !== undefined) return given.value;
  const options = schema['anyOf'] as readonly JsonSchema[] | undefined;
  if (options !== undefined) return exampleOf(options[0] ?? {}, name);
  const types = schema['type'];
  switch (Array.isArray(types) ? types[0] : types) {
    case 'object':
      return objectExample(schema);
    case 'array':
      return [exampleOf((schema['items'] as JsonSchema | undefined) ?? {}, name.replace(/s$/, ''))];
    case 'integer':
    case 'number':
      return numberExample(schema, name);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'string':
      return schema['format'] === 'date-time' ? TIME : (BY_NAME[name] ?? 'text');
    default:
      return {};
  }
}

function numberExample({ minimum, maximum }: JsonSchema, name: string): number {
  const example = NUMBER_BY_NAME[name] ?? (NONE.has(name) ? 0 : 1);
  return Math.min(Math.max(example, (minimum as number | undefined) ?? example), (maximum as number | undefined) ?? example);
}

function givenExample(schema: JsonSchema): { readonly value: unknown } | undefined {
  const examples = schema['examples'] as readonly unknown[] | undefined;
  if (examples !== undefined && examples.length > 0) return { value: examples[0] };
  for (const keyword of ['example', 'const', 'default']) if (keyword in schema) return { value: schema[keyword] };
  const values = schema['enum'] as readonly unknown[] | undefined;
  return values === undefined ? undefined : { value: values[0] };
}

/** With all that it has to have, and of the rest what has an example of its own. */
function objectExample(schema: JsonSchema): Record<string, unknown> {
  const required = new Set((schema['required'] as readonly string[] | undefined) ?? []);
  const properties = Object.entries((schema['properties'] as Record<string, JsonSchema> | undefined) ?? {});
  const shown = properties.filter(([name, child]) => required.has(name) || 'examples' in child);
  const [first] = properties;
  if (shown.length === 0 && first !== undefined && typeof schema['minProperties'] === 'number') shown.push(first);
  if (properties.length === 0 && 'patternProperties' in schema) {
    const [value] = Object.values(schema['patternProperties'] as Record<string, JsonSchema>);
    return { hls: exampleOf(value ?? {}, 'hls') };
  }
  return Object.fromEntries(shown.map(([name, child]) => [name, exampleOf(child, name)]));
}
