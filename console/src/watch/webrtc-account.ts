import type { Answer } from './presence.ts';
import type { MediumAccount, WebrtcAccount } from './transport-policy.ts';

type Fields = Readonly<Record<string, unknown>>;

const fields = (value: unknown): Fields | undefined => (typeof value === 'object' && value !== null ? (value as Fields) : undefined);

/** What the API's account of a stream says about playing it by WebRTC; never throws. */
export function webrtcAccountOf(api: Answer | undefined): WebrtcAccount {
  if (api?.status !== 200) return 'unknown';
  const webrtc = fields(fields(parse(api.body))?.['webrtc']);
  if (!webrtc) return 'off';
  return { video: mediumOf(webrtc['video'], 'The picture'), audio: mediumOf(webrtc['audio'], 'The sound') };
}

function mediumOf(value: unknown, what: string): MediumAccount {
  const medium = fields(value);
  if (!medium) return { kind: 'none' };
  if (medium['playable'] === true) return { kind: 'playable' };
  const message = medium['message'];
  const known = typeof message === 'string' && message !== '';
  return { kind: 'missing', message: known ? message : `${what} cannot be played by WebRTC.` };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
