import { playlistPath, type StreamAddress, streamApiPath } from '../stream-address/stream-address.ts';
import type { Presence } from './player-machine.ts';
import { type Answer, firstRendition, presenceOf } from './presence.ts';

const ANSWER_MS_MAX = 8000;

/** Asks the server whether a stream is there; never rejects. `withHold` also asks the API whether it is held. */
export async function probeStream(address: StreamAddress, withHold: boolean): Promise<Presence> {
  const url = playlistPath(address);
  const [playlist, api] = await Promise.all([get(url), withHold ? get(streamApiPath(address)) : undefined]);
  const rendition = playlist?.status === 200 ? firstRendition(playlist.body) : undefined;
  const media = rendition === undefined ? playlist : await get(new URL(rendition, new URL(url, location.href)).href);
  return presenceOf(media, api);
}

async function get(url: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return { status: response.status, body: await response.text() };
  } catch {
    return undefined;
  }
}
