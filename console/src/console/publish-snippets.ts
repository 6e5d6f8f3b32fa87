import type { PageOrigin } from '../stream-address/stream-address.ts';

/** One way to publish or to play a stream: what to type where. */
export interface Way {
  readonly id: string;
  readonly title: string;
  readonly fields: readonly { readonly label: string; readonly value: string }[];
  readonly note: string;
}

/** What lets a publisher in. */
export interface Credential {
  readonly kind: 'key' | 'token';
  readonly value: string;
}

/** How to publish `app/name`, with a stream key or token where there is one to show. `rtmp` is where RTMP is taken, e.g. `rtmp://example.org:1936`. */
export function publishWays(page: PageOrigin, rtmp: string, app: string, name: string, credential?: Credential): readonly Way[] {
  const server = `${rtmp}/${app}`;
  const streamKey = credential === undefined ? name : `${name}?${credential.kind}=${credential.value}`;
  const input = '-re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440';
  const video = '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 2500k';
  const note = credential === undefined ? ` From another computer the server asks for the app’s stream key: ${name}?key=…` : '';
  const endpoint = { label: 'WHIP endpoint', value: `${page.origin}/${app}/${name}/whip` };
  return [
    {
      id: 'obs',
      title: 'OBS Studio',
      fields: [
        { label: 'Server', value: server },
        { label: 'Stream key', value: streamKey },
      ],
      note: `Settings → Stream → Service “Custom…”.${note}`,
    },
    {
      id: 'ffmpeg',
      title: 'FFmpeg',
      // In quotes: shells take a question mark for a pattern.
      fields: [{ label: 'Command', value: `ffmpeg ${input} ${video} -c:a aac -b:a 128k -f flv "${server}/${streamKey}"` }],
      note: `A moving test picture with a tone.${note}`,
    },
    {
      id: 'whip',
      title: 'WHIP',
      fields: credential === undefined ? [endpoint] : [endpoint, { label: 'Bearer token', value: credential.value }],
      note: `WebRTC, from OBS 30 or any other WHIP client.${credential === undefined ? ' Give the app’s stream key as the bearer token.' : ''}`,
    },
  ];
}

/** How to play `app/name` with a signed token. */
export function playWays(page: PageOrigin, rtmp: string, app: string, name: string, token: string): readonly Way[] {
  const path = `${page.origin}/${app}/${name}`;
  const hls = `${path}/~${token}/index.m3u8`;
  return [
    {
      id: 'players',
      title: 'Players',
      fields: [
        { label: 'HLS', value: hls },
        { label: 'HTTP-FLV', value: `${path}.flv?token=${token}` },
        { label: 'RTMP', value: `${rtmp}/${app}/${name}?token=${token}` },
      ],
      note: 'HLS for browsers, phones and televisions; FLV and RTMP for VLC and other programs, with less delay.',
    },
    {
      id: 'ffmpeg',
      title: 'FFmpeg',
      // In quotes: shells take a tilde for a home, and a question mark for a pattern.
      fields: [
        { label: 'Play it', value: `ffplay -fflags nobuffer "${path}.flv?token=${token}"` },
        { label: 'Save it', value: `ffmpeg -i "${hls}" -c copy show.mp4` },
      ],
      note: 'In a terminal.',
    },
    {
      id: 'whep',
      title: 'WHEP',
      fields: [
        { label: 'WHEP endpoint', value: `${path}/whep` },
        { label: 'Bearer token', value: token },
      ],
      note: 'WebRTC, with the least delay, by any WHEP player.',
    },
  ];
}

/** Where RTMP is taken: where the node says, or else at the page's host on the usual port. */
export const rtmpAddress = (page: PageOrigin, endpoint: string | undefined): string => endpoint ?? `rtmp://${page.hostname}`;
