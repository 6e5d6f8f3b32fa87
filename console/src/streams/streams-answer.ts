/** One component of a listed stream. */
export interface ListedTrack {
  readonly kind: string;
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
}

/** One live stream of `GET /api/v1/streams`, as much of it as the list shows. */
export interface ListedStream {
  readonly app: string;
  readonly name: string;
  readonly state: 'live' | 'held';
  /** Unix time in milliseconds, or `undefined` when not told. */
  readonly startedMs: number | undefined;
  readonly tracks: readonly ListedTrack[];
  readonly viewers: number;
  readonly bitrateBps: number | undefined;
}

/** One page of the list. */
export interface StreamsAnswer {
  readonly items: readonly ListedStream[];
  readonly nextCursor: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

/** Reads the API's answer; `undefined` when it is not a list of streams. An item without a name is left out. */
export function parseStreams(answer: unknown): StreamsAnswer | undefined {
  const page = fields(answer);
  if (!Array.isArray(page['items'])) return undefined;
  const cursor = page['nextCursor'];
  return {
    items: page['items'].map(parseStream).filter((stream) => stream !== undefined),
    nextCursor: typeof cursor === 'string' && cursor !== '' ? cursor : undefined,
  };
}

function parseStream(value: unknown): ListedStream | undefined {
  const item = fields(value);
  const { app, name } = item as { app?: unknown; name?: unknown };
  if (typeof app !== 'string' || typeof name !== 'string') return undefined;
  return {
    app,
    name,
    state: item['state'] === 'held' ? 'held' : 'live',
    startedMs: parseTime(item['startedAt']),
    tracks: list(item['tracks']).map(parseTrack),
    viewers: number(fields(item['viewers'])['total']) ?? 0,
    bitrateBps: number(item['bitrateBps']),
  };
}

function parseTrack(value: unknown): ListedTrack {
  const track = fields(value);
  const width = number(track['width']);
  const height = number(track['height']);
  return { kind: String(track['kind'] ?? ''), codec: String(track['codec'] ?? ''), ...(width && height ? { width, height } : {}) };
}

function parseTime(value: unknown): number | undefined {
  return typeof value === 'string' ? number(Date.parse(value)) : number(value);
}
