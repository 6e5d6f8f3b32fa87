import { SluiceError } from '../core/mod.ts';
import type { IceServer } from '../protocols/whip/mod.ts';

const STUN = /^stuns?:\S+$/;
const TURN = /^(turns?):([^:@\s]+):([^@\s]+)@(\S+)$/;

/** `webrtc.iceServers` as clients are told of them. Throws `config.bad-ice-server`. */
export function iceServers(urls: readonly string[]): readonly IceServer[] {
  return urls.map((url) => {
    if (STUN.test(url)) return { url };
    const [, scheme, username, credential, rest] = TURN.exec(url) ?? [];
    if (scheme === undefined || username === undefined || credential === undefined) {
      throw new SluiceError(
        'config.bad-ice-server',
        `webrtc.iceServers: give stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT, not ${url.slice(0, 20)}…`,
      );
    }
    return { url: `${scheme}:${rest}`, username, credential };
  });
}
