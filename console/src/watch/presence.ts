import type { Presence } from './player-machine.ts';

/** An HTTP answer as far as it matters here; `undefined` stands for none at all. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** First rendition's URI in a multivariant playlist (RFC 8216 §4.3.4.2); `undefined` for anything else. */
export function firstRendition(playlist: string): string | undefined {
  if (!playlist.startsWith('#EXTM3U')) return undefined;
  const lines = playlist.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF:'));
  return at === -1 ? undefined : lines.slice(at + 1).find((line) => line !== '' && !line.startsWith('#'));
}

/**
 * Whether a stream is there, from its media playlist and, where it was asked for, the API's account of it. The playlist decides
 * (it is there even where the API is not); only a hold cannot be seen from it.
 */
export function presenceOf(mediaPlaylist: Answer | undefined, api: Answer | undefined): Presence {
  if (mediaPlaylist === undefined) return 'unreachable';
  const { status, body } = mediaPlaylist;
  if (status === 404 || status === 410) return 'absent';
  if (status !== 200) return 'unreachable';
  // A finished playlist stays readable for a while (RFC 8216 §4.3.3.4); nothing will be added to it.
  if (/^#EXT-X-ENDLIST/m.test(body)) return 'absent';
  return api?.status === 200 && isHeld(api.body) ? 'held' : 'live';
}

/** Whether a stream is there as the API has it; `undefined` where the API does not say that it is. */
export function apiPresenceOf(api: Answer | undefined): Presence | undefined {
  if (api?.status !== 200) return undefined;
  return isHeld(api.body) ? 'held' : 'live';
}

function isHeld(body: string): boolean {
  try {
    const stream: unknown = JSON.parse(body);
    return typeof stream === 'object' && stream !== null && 'state' in stream && stream.state === 'held';
  } catch {
    return false;
  }
}
