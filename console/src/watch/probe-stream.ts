import { playlistPath, type StreamAddress, streamApiPath } from '../stream-address/stream-address.ts';
import { type MissingQuality, missingQualitiesOf } from './missing-qualities.ts';
import type { Presence } from './player-machine.ts';
import { type Answer, apiPresenceOf, firstRendition, presenceOf } from './presence.ts';
import type { Transport, WebrtcAccount } from './transport-policy.ts';
import { webrtcAccountOf } from './webrtc-account.ts';

const ANSWER_MS_MAX = 8000;

/** What a probe needs to know, and whom it tells what the API said. */
export interface ProbeQuestion {
  readonly asksApi: boolean;
  /** Takes the server's account of the stream and returns what it will be played by. */
  readonly transportFor: (account: WebrtcAccount) => Transport;
}

/**
 * Asks the server whether a stream is there; never rejects. Where it will be played by WebRTC the API's word is enough; in every other
 * case, also when the API does not answer, the playlist decides.
 */
export async function probeStream(address: StreamAddress, { asksApi, transportFor }: ProbeQuestion): Promise<Presence> {
  const api = asksApi ? await get(streamApiPath(address)) : undefined;
  const transport = transportFor(webrtcAccountOf(api));
  const said = transport === 'webrtc' ? apiPresenceOf(api) : undefined;
  if (said !== undefined) return said;
  const url = playlistPath(address);
  const playlist = await get(url);
  const rendition = playlist?.status === 200 ? firstRendition(playlist.body) : undefined;
  const media = rendition === undefined ? playlist : await get(new URL(rendition, playlist?.url).href);
  return presenceOf(media, api);
}

/** Asks the server which qualities are missing for now; never rejects. */
export const missingQualities = async (address: StreamAddress): Promise<readonly MissingQuality[]> =>
  missingQualitiesOf(await get(streamApiPath(address)));

/** `url`: whence it came, after all redirects. */
async function get(url: string): Promise<(Answer & { readonly url: string }) | undefined> {
  try {
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return { status: response.status, body: await response.text(), url: response.url };
  } catch {
    return undefined;
  }
}
