import { SourceRefused } from './judged-lookup.ts';

const MARK = 'RTSP/';
const STATUS = /^RTSP\/[12]\.[0-9] [124-6][0-9][0-9][ \r\n]/;
const STATUS_LENGTH = 'RTSP/1.0 200 '.length;
/** Where the server says that its datagrams come from, or go to (RFC 2326 12.39): FFmpeg would send some there. */
const PLACE = /(source|destination)\s*=\s*"?([^;,"\s]*)([;,"\s])?/gi;
/** A transport that leads to whatever group the server, or its SDP, names. */
const MULTICAST = /[;\s]multicast\s*[;,\r\n]/i;
/** Longer than a status line's beginning and than a place. */
const TAIL_LENGTH = 128;

/**
 * Keeps FFmpeg from following an RTSP redirect (RFC 2326 11.3), which it would do by itself to any host. It looks at what the server sends until
 * the first PLAY, after which FFmpeg follows none. What looks like a status line and is none that it knows is refused, too: FFmpeg may read
 * it another way.
 */
export class RtspRedirects {
  private readonly transport: 'tcp' | 'udp';
  private tail = '';
  private isPlaying = false;

  constructor(transport: 'tcp' | 'udp') {
    this.transport = transport;
  }

  /** What the client sends; it may be split anywhere, but FFmpeg writes a request at once. */
  sent(bytes: Uint8Array): void {
    if (!this.isPlaying && Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 5)).toString('latin1') === 'PLAY ') {
      this.isPlaying = true;
    }
  }

  /** What the server at this address sends. Throws {@link SourceRefused}. */
  received(bytes: Uint8Array, address: string): void {
    if (this.isPlaying) return;
    const text = this.tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    let from = 0;
    for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + 1)) {
      if (text.length - at < STATUS_LENGTH) break;
      if (!STATUS.test(text.slice(at, at + STATUS_LENGTH))) {
        throw new SourceRefused({ code: 'redirect', reason: 'the server answers with a redirect, which is not followed over RTSP' });
      }
      from = at + 1;
    }
    if (this.transport === 'udp') checkPlaces(text, address);
    this.tail = text.slice(Math.max(from, text.length - TAIL_LENGTH));
  }
}

function checkPlaces(text: string, address: string): void {
  if (MULTICAST.test(text))
    throw new SourceRefused({ code: 'redirect', reason: 'the server wants to send by multicast: name the group as a source' });
  for (const [, what = '', place = '', end] of text.matchAll(PLACE)) {
    const isOwn = what.toLowerCase() === 'source' && place === address;
    // Cut off at the end of what came so far: it is seen again, complete.
    if (isOwn || (end === undefined && address.startsWith(place) && place.length < TAIL_LENGTH / 2)) continue;
    throw new SourceRefused({ code: 'redirect', reason: `the server names another address (${place.slice(0, 60)}) for its datagrams` });
  }
}
