import type { Socket } from 'node:net';
import { openConnection } from './connection.ts';
import { firstVariant, type HlsPart, type HlsPlaylist, parsePlaylist } from './hls-playlist.ts';
import { HttpReader } from './http-reader.ts';
import { type LoadClient, newRecord, noteLatency, type ViewerRecord } from './viewer-record.ts';

const POLL_MS = 1000;
const PLAYLIST_CACHE_SIZE = 64;

// Viewers that asked the same question at the same time were given the same bytes; parsing them once keeps the generator
// cheaper than the server.
const parsed = new Map<string, HlsPlaylist>();

function parseCached(path: string, text: string): HlsPlaylist {
  const key = `${path} ${text.length} ${text.slice(-160)}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const playlist = parsePlaylist(text);
  if (parsed.size >= PLAYLIST_CACHE_SIZE) parsed.delete(parsed.keys().next().value ?? '');
  parsed.set(key, playlist);
  return playlist;
}

/**
 * Plays LL-HLS over one kept-alive connection as a player does: blocking playlist reloads, each part once and in order, and a
 * playhead that starts PART-HOLD-BACK behind the live edge and stalls when it reaches the end of what was fetched.
 * Latency is the distance of that playhead from the wall clock by EXT-X-PROGRAM-DATE-TIME.
 */
export class HlsViewer implements LoadClient {
  readonly record: ViewerRecord = newRecord();
  private readonly url: URL;
  private readonly socket: Socket;
  private path: string;
  private mediaPath: string | undefined;
  private wants: 'playlist' | 'init' | 'part' = 'playlist';
  private text = '';
  private readonly queue: HlsPart[] = [];
  private playlist: HlsPlaylist | undefined;
  private fetching: HlsPart | undefined;
  private initUri: string | undefined;
  private next: { sequence: number; part: number } | undefined;
  private playFromMs = 0;
  private headOffsetMs: number | undefined;
  private bufferedToMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(url: URL) {
    this.url = url;
    this.path = url.pathname + url.search;
    const reader = new HttpReader({
      head: (status) => {
        if (status !== 200) this.fail(`the server answered ${status} for a ${this.wants}`);
      },
      body: (bytes) => this.body(bytes),
      end: () => this.answered(),
    });
    this.socket = openConnection(url.hostname, Number(url.port || 80), {
      connected: () => this.get('playlist', this.path),
      received: (bytes) => {
        try {
          if (!this.isClosed) reader.receive(bytes);
        } catch (error) {
          this.fail(String(error));
        }
      },
      closed: (reason) => this.fail(reason),
    });
  }

  private get(what: 'playlist' | 'init' | 'part', path: string): void {
    if (this.isClosed) return;
    this.wants = what;
    this.path = path;
    this.text = '';
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.url.host}\r\nUser-Agent: sluice-load\r\n\r\n`);
  }

  private body(bytes: Buffer): void {
    this.record.bytes += bytes.length;
    if (this.wants === 'playlist') this.text += bytes.toString('latin1');
    else if (this.wants === 'part') this.record.firstByteAtMs ??= performance.now();
  }

  private answered(): void {
    if (this.wants === 'playlist') this.playlistCame();
    else {
      if (this.wants === 'part') this.partCame();
      this.goOn();
    }
  }

  private playlistCame(): void {
    const variant = this.mediaPath === undefined ? firstVariant(this.text) : undefined;
    if (variant !== undefined) {
      this.mediaPath = this.resolve(variant);
      this.get('playlist', this.mediaPath);
      return;
    }
    this.mediaPath ??= this.path;
    const playlist = parseCached(this.path, this.text);
    this.playlist = playlist;
    if (playlist.isEnded) {
      this.fail('the stream ended');
      return;
    }
    if (this.next === undefined) this.chooseStart(playlist);
    else this.enqueueNew(playlist, this.next);
    this.goOn();
  }

  // The playhead starts PART-HOLD-BACK behind the end; fetching starts at the last independent part before it.
  private chooseStart(playlist: HlsPlaylist): void {
    const last = playlist.parts.at(-1);
    if (last === undefined) return;
    const edgeMs = last.startMs + last.durationMs;
    const wantedMs = Math.min(edgeMs - playlist.partHoldBackMs, last.startMs);
    const startsBefore = playlist.parts.filter((part) => part.isIndependent && part.startMs <= wantedMs);
    const first = startsBefore.at(-1) ?? playlist.parts.find((part) => part.isIndependent);
    if (first === undefined) return;
    this.playFromMs = Math.max(wantedMs, first.startMs);
    this.enqueueNew(playlist, first);
  }

  private enqueueNew(playlist: HlsPlaylist, from: { readonly sequence: number; readonly part: number }): void {
    const fresh = playlist.parts.filter(
      (part) => part.sequence > from.sequence || (part.sequence === from.sequence && part.part >= from.part),
    );
    const first = fresh[0];
    if (first !== undefined && this.next !== undefined && this.bufferedToMs > 0) {
      const missedMs = first.startMs - this.bufferedToMs;
      if (missedMs > first.durationMs) this.record.lostFrames++;
    }
    this.queue.push(...fresh);
    this.next = { sequence: playlist.nextSequence, part: playlist.nextPart };
  }

  private goOn(): void {
    const { playlist, mediaPath } = this;
    if (playlist === undefined || mediaPath === undefined) return;
    if (this.next !== undefined && playlist.initUri !== undefined && playlist.initUri !== this.initUri) {
      this.initUri = playlist.initUri;
      this.get('init', this.resolve(playlist.initUri));
      return;
    }
    this.fetching = this.queue.shift();
    if (this.fetching !== undefined) this.get('part', this.resolve(this.fetching.uri));
    else if (playlist.canBlock && this.next !== undefined) {
      this.get('playlist', `${mediaPath}?_HLS_msn=${this.next.sequence}&_HLS_part=${this.next.part}`);
    } else this.timer = setTimeout(() => this.get('playlist', mediaPath), POLL_MS);
  }

  private partCame(): void {
    const part = this.fetching;
    if (part === undefined) return;
    const nowMs = Date.now();
    if (part.isIndependent) this.record.firstKeyframeAtMs ??= performance.now();
    const endMs = part.startMs + part.durationMs;
    if (this.headOffsetMs === undefined) {
      if (endMs > this.playFromMs) this.headOffsetMs = nowMs - this.playFromMs;
    } else {
      this.noticeStall(nowMs);
      noteLatency(this.record, this.headOffsetMs);
    }
    this.bufferedToMs = endMs;
  }

  private noticeStall(nowMs: number): void {
    const lateMs = nowMs - (this.headOffsetMs ?? 0) - this.bufferedToMs;
    if (lateMs <= 0) return;
    this.record.stalls++;
    this.headOffsetMs = (this.headOffsetMs ?? 0) + lateMs;
  }

  // Against the path alone: the host stays the same, and a URL parser for each part would cost more than the rest.
  private resolve(uri: string): string {
    if (uri.startsWith('/')) return uri;
    if (uri.includes('://') || uri.startsWith('.')) {
      const url = new URL(uri, new URL(this.mediaPath ?? this.path, this.url));
      return url.pathname + url.search;
    }
    const base = (this.mediaPath ?? this.path).replace(/\?.*$/, '');
    return base.slice(0, base.lastIndexOf('/') + 1) + uri;
  }

  tick(): void {
    // A playhead that ran dry is counted when the next part comes; one that never does is counted here, at the end of patience.
    if (this.headOffsetMs !== undefined && Date.now() - this.headOffsetMs - this.bufferedToMs > 1000) this.noticeStall(Date.now());
  }

  private fail(reason: string): void {
    if (!this.isClosed) this.record.error ??= reason;
    this.close();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket.destroy();
  }
}
