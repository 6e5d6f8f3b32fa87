import type { Logger } from 'pino';
import { type MonotonicMs, monotonicMs, ProtocolError, SluiceError, type StreamRef } from '../../core/mod.ts';
import { type HlsSegment, readWindowRecord } from '../../gateways/mod.ts';
import { initName } from '../../protocols/hls/mod.ts';
import type { NodeAnswer, NodeQuestion } from '../relay/mod.ts';

/** The nodes that streams of other nodes come from. */
export interface HlsGivers {
  /** The node that gives the stream `APP/NAME` to this one now; undefined: it is published here. */
  giverOf(path: string): string | undefined;
  /** Asks it; rejects when it does not answer. */
  ask(path: string, question: NodeQuestion): Promise<NodeAnswer>;
}

export interface OlderWindowOptions {
  readonly givers: HlsGivers;
  readonly ref: StreamRef;
  readonly rendition: string;
  /** Whether the stream came from another node when this one began to package it. It may move later on. */
  readonly isRelayed: boolean;
  readonly log: Logger;
  /** The window of the other node is known, or will not be. */
  readonly known: () => void;
  /** A file came, in pieces with their names, or did not. */
  readonly loaded: (files: readonly OlderFile[]) => void;
}

/** A file of the other node: a name, and its bytes in order. */
export interface OlderFile {
  readonly name: string;
  readonly chunks: readonly Uint8Array[];
}

/** What has to be loaded for a file, all of it at once. */
interface Load {
  readonly name: string;
  /** Of the parts that it is made of; undefined: of an init segment. */
  readonly parts: readonly { readonly name: string; readonly sizeBytes: number }[] | undefined;
}

/** Before the paths of what nodes ask each other for. */
export const OLDER_PREFIX = '/hls';
/** The file that tells of a rendition's window. */
export const WINDOW_NAME = 'window.json';
/** Playlists are held back so long for the older part of the window once they could be given out. */
const KNOWN_MS_MAX = 3_000;
/** How long the other node may take: it may have to ask on. */
const WINDOW_MS_MAX = 5_000;
const FILE_MS_MAX = 5_000;
const WINDOW_BYTES_MAX = 8 * 1024 * 1024;
const MAP_BYTES_MAX = 1024 * 1024;
/** The other node packages on demand, too, and is told this often that there is demand. */
const RENEW_MS = 20_000;
const LOADS_MAX = 16;

/**
 * The part of a rendition's window from before this node packaged it, so that its playlists are those of all other nodes from the first one on: the node that
 * the stream comes from tells of it, and gives its files when somebody asks for them.
 */
export class OlderWindow {
  private readonly options: OlderWindowOptions;
  private readonly loads = new Map<string, Load>();
  private readonly loading = new Set<string>();
  private told: readonly HlsSegment[] | undefined;
  private deadline: MonotonicMs | undefined;
  private renewAt: MonotonicMs | undefined;
  private giver: string | undefined;
  private readonly closed = new AbortController();

  constructor(options: OlderWindowOptions) {
    this.options = options;
    if (!options.isRelayed) this.told = [];
    // A stream that has just come has a way to here only when the one who brought it is done.
    else queueMicrotask(() => void this.askForWindow());
  }

  /** What the other node told; nothing if it did not in time, and undefined while it still may. */
  get segments(): readonly HlsSegment[] | undefined {
    return this.told;
  }

  /** `isReady`: there is a playlist that could be given out. */
  tick(isReady: boolean, now: MonotonicMs): void {
    if (isReady) this.deadline ??= monotonicMs(now + KNOWN_MS_MAX);
    if (this.told === undefined && this.deadline !== undefined && now >= this.deadline) this.know([], 'it did not answer in time');
    this.renew(now);
  }

  /** These segments are in the window now: their files are to be had here. */
  keep(segments: readonly HlsSegment[], hasFile: (name: string) => boolean): void {
    for (const segment of segments) {
      const parts = segment.parts.map(({ uri }, index) => ({ name: uri, sizeBytes: segment.partSizes[index] ?? 0 }));
      const whole = { name: segment.uri, parts };
      if (!segment.isGap) this.loads.set(segment.uri, whole);
      for (const part of parts)
        if (part.sizeBytes > 0) this.loads.set(part.name, segment.isGap ? { name: part.name, parts: [part] } : whole);
      if (!hasFile(segment.mapUri)) this.loads.set(segment.mapUri, { name: segment.mapUri, parts: undefined });
    }
  }

  /** The file is here, or not needed any more. */
  drop(name: string): void {
    this.loads.delete(name);
  }

  /** Whether the other node has the file; then it is loaded. */
  bring(name: string): boolean {
    const load = this.loads.get(name);
    if (load === undefined) return false;
    if (!this.loading.has(load.name) && this.loading.size < LOADS_MAX) void this.load(load);
    return true;
  }

  /** Whether the file is on its way. */
  isComing(name: string): boolean {
    const load = this.loads.get(name);
    return load !== undefined && this.loading.has(load.name);
  }

  close(): void {
    this.closed.abort(new Error('the stream is not packaged here any more'));
    this.loads.clear();
  }

  private async askForWindow(): Promise<void> {
    const { givers, ref } = this.options;
    this.giver = givers.giverOf(ref.path);
    try {
      const { status, body } = await this.ask('GET', WINDOW_NAME, WINDOW_MS_MAX, WINDOW_BYTES_MAX);
      if (status === 200) this.know(readWindowRecord(body), undefined);
      else this.know([], `it answered with status ${status}`);
    } catch (error) {
      this.know([], error instanceof SluiceError ? `${error.code}: ${error.message}` : String(error));
    }
  }

  private know(segments: readonly HlsSegment[], failure: string | undefined): void {
    if (this.told !== undefined || this.closed.signal.aborted) return;
    const { ref, rendition, log, known } = this.options;
    if (failure !== undefined) {
      const about = { code: 'hls.window-begins-here', stream: ref.path, rendition, giver: this.giver, reason: failure };
      log.warn(about, 'playlists begin with what this node has: the node that gives the stream did not tell of what was before');
    }
    this.told = segments;
    known();
  }

  private renew(now: MonotonicMs): void {
    const { givers, ref } = this.options;
    const giver = givers.giverOf(ref.path);
    this.renewAt ??= monotonicMs(now + RENEW_MS);
    if (giver === undefined || (giver === this.giver && now < this.renewAt)) return;
    this.giver = giver;
    this.renewAt = monotonicMs(now + RENEW_MS);
    // One that does not answer is asked again the next time.
    this.ask('HEAD', WINDOW_NAME, WINDOW_MS_MAX, 0).catch(() => undefined);
  }

  private async load(load: Load): Promise<void> {
    this.loading.add(load.name);
    let files: readonly OlderFile[] = [];
    try {
      const sizeBytes = load.parts?.reduce((sum, part) => sum + part.sizeBytes, 0) ?? MAP_BYTES_MAX;
      const { status, body } = await this.ask('GET', load.name, FILE_MS_MAX, sizeBytes);
      if (status === 200) files = filesOf(load, body, sizeBytes);
      else if (status === 404) this.forget(load);
    } catch (error) {
      const { ref, log } = this.options;
      const code = error instanceof SluiceError ? error.code : 'hls.internal';
      log.warn({ code, stream: ref.path, file: load.name, giver: this.giver, err: error }, 'an older file did not come from another node');
    } finally {
      this.loading.delete(load.name);
    }
    // What left the window meanwhile is not wanted any more.
    if (!this.closed.signal.aborted) this.options.loaded(files.filter(({ name }) => this.loads.has(name)));
  }

  private forget({ name, parts }: Load): void {
    for (const part of parts ?? []) this.loads.delete(part.name);
    this.loads.delete(name);
  }

  private ask(method: string, name: string, timeoutMs: number, answerBytesMax: number): Promise<NodeAnswer> {
    const { givers, ref, rendition } = this.options;
    const path = `${OLDER_PREFIX}/${ref.path}/${rendition}/${name}`;
    return givers.ask(ref.path, { method, path, timeoutMs, answerBytesMax, gone: this.closed.signal });
  }
}

/** The pieces of what was loaded; throws `ProtocolError` `hls.bad-file` when it is not what was told of. */
function filesOf({ name, parts }: Load, body: Buffer, sizeBytes: number): readonly OlderFile[] {
  if (parts === undefined) {
    const discontinuity = Number(name.split('-')[1]);
    if (initName(discontinuity, body) !== name)
      throw new ProtocolError('hls.bad-file', `${name} of another node has other bytes than its name says`);
    return [{ name, chunks: [body] }];
  }
  if (body.length !== sizeBytes)
    throw new ProtocolError('hls.bad-file', `${name} of another node has ${body.length} bytes, not ${sizeBytes} as its window says`);
  let at = 0;
  const files = parts.map((part) => {
    const bytes = body.subarray(at, at + part.sizeBytes);
    at += part.sizeBytes;
    return { name: part.name, chunks: [bytes] };
  });
  if (files.some((file) => file.name === name)) return files;
  return [...files, { name, chunks: files.flatMap(({ chunks }) => chunks) }];
}
