import type { PageOrigin } from '../stream-address/stream-address.ts';

/** One way to publish a stream: what to type where. */
export interface PublishWay {
  readonly id: 'obs' | 'ffmpeg' | 'whip';
  readonly title: string;
  readonly fields: readonly { readonly label: string; readonly value: string }[];
  readonly note: string;
}

/** How to publish `app/name`, with `key` where there is one to show. `rtmp` is where RTMP is taken, e.g. `rtmp://example.org:1936`. */
export function publishWays(page: PageOrigin, rtmp: string, app: string, name: string, key?: string): readonly PublishWay[] {
  const server = `${rtmp}/${app}`;
  const streamKey = key === undefined ? name : `${name}?key=${key}`;
  const input = '-re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440';
  const video = '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 2500k';
  const note = key === undefined ? ` From another computer the server asks for the app’s stream key: ${name}?key=…` : '';
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
      fields: key === undefined ? [endpoint] : [endpoint, { label: 'Bearer token', value: key }],
      note: `WebRTC, from OBS 30 or any other WHIP client.${key === undefined ? ' Give the app’s stream key as the bearer token.' : ''}`,
    },
  ];
}

/** Where RTMP is taken: where the node says, or else at the page's host on the usual port. */
export const rtmpAddress = (page: PageOrigin, endpoint: string | undefined): string => endpoint ?? `rtmp://${page.hostname}`;
