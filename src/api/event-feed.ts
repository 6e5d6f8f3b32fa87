import type { ServerResponse } from 'node:http';
import { Type } from '@sinclair/typebox';
import { appOf, type Grant } from './grant.ts';
import type { Operation } from './operation.ts';
import { ApiError } from './problem.ts';
import type { ServerEvent } from './server-event.ts';

interface Kept {
  readonly number: number;
  readonly text: string;
  /** Whom it concerns; undefined: no app alone. */
  readonly app: string | undefined;
}

/** Who listens, as far as that says what is heard. */
type Listener = Pick<Grant, 'seesAll' | 'maySee' | 'holds'>;

export interface EventFeedOptions {
  /** Begins all ids: another one for each run of a process, so that an id of before is known as one that is not of this list. */
  readonly run: string;
  readonly eventsMax?: number;
  readonly listenersMax?: number;
}

const EVENTS_MAX = 1_000;
const LISTENERS_MAX = 200;
/** A listener who is behind by so much is hung up on: it comes again, and says what it had last. */
const BACKLOG_BYTES_MAX = 256 * 1024;
/** Proxies close what is silent. */
const BEAT_MS = 15_000;
const RETRY_MS = 1_000;

/** What changes on this server, kept for a while, and told to all who listen as server-sent events. */
export class EventFeed {
  private readonly options: Required<EventFeedOptions>;
  private readonly kept: Kept[] = [];
  private readonly listeners = new Map<ServerResponse, Listener>();
  private readonly beat: NodeJS.Timeout;
  private number = 0;

  constructor(options: EventFeedOptions) {
    this.options = { eventsMax: EVENTS_MAX, listenersMax: LISTENERS_MAX, ...options };
    this.beat = setInterval(() => this.tell(': beat\n\n'), BEAT_MS);
    this.beat.unref();
  }

  add({ type, data }: ServerEvent): void {
    this.number += 1;
    const text = `id: ${this.options.run}-${this.number}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    const kept: Kept = { number: this.number, text, app: appOfData(data) };
    this.kept.push(kept);
    if (this.kept.length > this.options.eventsMax) this.kept.shift();
    this.tell(text, (listener) => hears(listener, kept));
  }

  /**
   * Answers with all events from now on, or those after `lastId` first. The first event, `hello`, says whether the list goes on where `lastId` was; where it
   * does not, what the listener knows may be old: who named an id is told so by `reset`, too.
   */
  listen(response: ServerResponse, lastId: string | undefined, listener: Listener): void {
    const after = this.numberOf(lastId);
    const missed = after === undefined ? [] : this.kept.filter((kept) => kept.number > after && hears(listener, kept));
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no',
    });
    const isResumed = after !== undefined;
    const reason = isResumed || lastId === undefined || lastId === '' ? undefined : this.whyNotAfter(lastId);
    const start = after ?? this.number;
    response.write(`retry: ${RETRY_MS}\nid: ${this.options.run}-${start}\nevent: hello\ndata: ${JSON.stringify({ isResumed })}\n\n`);
    if (reason !== undefined) response.write(`event: reset\ndata: ${JSON.stringify({ reason })}\n\n`);
    for (const { text } of missed) response.write(text);
    this.listeners.set(response, listener);
    response.on('close', () => this.listeners.delete(response));
    response.on('error', () => this.listeners.delete(response));
  }

  get isFull(): boolean {
    return this.listeners.size >= this.options.listenersMax;
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** Hangs up on everybody. */
  close(): void {
    clearInterval(this.beat);
    for (const response of this.listeners.keys()) response.end();
    this.listeners.clear();
  }

  /** The number of an id after which nothing is missing from what is kept. */
  private numberOf(id: string | undefined): number | undefined {
    const [, run, digits] = /^(.{1,64})-(\d{1,15})$/.exec(id ?? '') ?? [];
    const number = Number(digits);
    if (run !== this.options.run || number > this.number) return undefined;
    return number >= this.number - this.kept.length ? number : undefined;
  }

  /** Why what came after an id cannot be told. */
  private whyNotAfter(id: string): 'other-server' | 'too-old' {
    return id.startsWith(`${this.options.run}-`) ? 'too-old' : 'other-server';
  }

  private tell(text: string, isFor: (listener: Listener) => boolean = () => true): void {
    for (const [response, listener] of this.listeners) {
      if (!listener.holds()) {
        this.listeners.delete(response);
        response.end();
      } else if (response.writableLength > BACKLOG_BYTES_MAX) {
        this.listeners.delete(response);
        response.destroy();
      } else if (isFor(listener)) {
        response.write(text);
      }
    }
  }
}

const hears = (listener: Listener, { app }: Kept): boolean => (app === undefined ? listener.seesAll : listener.maySee(app));

/** An event names its app, or something by a path that begins with it. */
function appOfData({ app, path, name }: ServerEvent['data']): string | undefined {
  if (typeof app === 'string') return app;
  const place = path ?? name;
  return typeof place === 'string' && place.includes('/') ? appOf(place) : undefined;
}

const DESCRIPTION = `Server-sent events, for as long as the client listens, of everything that changes on any node. Streams: \`stream.started\`,
\`stream.changed\` (its tracks, renditions or state are others), \`stream.ended\`. Nodes: \`node.changed\`, \`node.gone\`. What is done with streams, with
the \`node\` that does it: \`source.changed\`, \`target.changed\`, \`transcoding.changed\`, \`recording.changed\`, \`recording.started\`, \`recording.ended\`,
\`recording.failed\`. What was decided for the cluster: \`transcoding.decided\`. What is set: \`app.changed\`, \`ladder.changed\`, \`stream-key.changed\`,
\`revoked-token.changed\`, \`webhook.changed\`, \`api-key.changed\`, \`routing.changed\`, \`weights.changed\`, \`config.changed\` (there is another version). What
was written into the log of changes: \`audit.added\`. Data is JSON that names what changed, with \`state: "gone"\` where it was deleted, and never a secret;
what it is now stands in the resource. A key of apps hears what concerns them. Where very many of a kind change at once, one event without a name tells of them.
\`Last-Event-ID\` goes on where a broken connection ended, on the same node and within the last thousand events; the
first event, \`hello\`, says in \`isResumed\` whether it does. Where it does not, \`reset\` follows with the \`reason\`: \`other-server\` (another node, or it was started
again) or \`too-old\`; then read everything again. A new EventSource, which sends no header, gives the id as \`lastEventId\`.`;

const EXAMPLE = 'id: n1.5f2c9a01b3d4-17\nevent: stream.started\ndata: {"path":"live/show","state":"live","origin":"n1"}\n\n';
const listenQuery = Type.Object(
  { lastEventId: Type.Optional(Type.String({ maxLength: 128, description: 'As the header `Last-Event-ID`, which counts before it' })) },
  { additionalProperties: false },
);

/** `GET /events`. */
export function eventOperations(feed: EventFeed): readonly Operation[] {
  return [
    {
      id: 'listenToEvents',
      method: 'GET',
      path: '/events',
      summary: 'Hear what changes',
      description: DESCRIPTION.replaceAll('\n', ' '),
      scope: 'app-read',
      tag: 'events',
      query: listenQuery,
      success: { status: 200, schema: Type.String({ description: 'text/event-stream', examples: [EXAMPLE] }) },
      errors: ['api.too-many-listeners'],
      handle: ({ caller, query, answer, grant }) => {
        if (feed.isFull) throw new ApiError('api.too-many-listeners', 'as many listen as may: try again later', { 'retry-after': '10' });
        const { request, response } = answer.takeOver();
        if (request.method === 'HEAD') response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
        else feed.listen(response, caller.header('last-event-id') ?? (query['lastEventId'] as string | undefined), grant);
      },
    },
  ];
}
