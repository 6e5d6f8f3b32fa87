import type { UrlPolicy } from '../../access/mod.ts';
import type { Track } from '../../media/mod.ts';
import { rtmpPlace, srtOptions, type TargetUrl } from '../../targets/mod.ts';
import type { Clock } from '../clock.ts';
import { MuxerPush } from './muxer-push.ts';
import { RtmpPush } from './rtmp-push.ts';
import { TargetError, targetAddress } from './target-address.ts';
import type { TargetConnection, TargetConnectionListener } from './target-connection.ts';
import { WhipGate } from './whip-gate.ts';

export interface ConnectionNeeds {
  readonly url: TargetUrl;
  readonly token: string;
  readonly tracks: readonly Track[];
  readonly policy: UrlPolicy;
  readonly trusted: readonly string[];
  readonly clock: Clock;
}

const SRT_CONNECT_MS = 5_000;

/**
 * Judges where a target is, resolves its name once, and connects to that very address. `isWanted` is asked again after each wait; undefined when it
 * said no. Throws {@link TargetError}.
 */
export async function openConnection(
  needs: ConnectionNeeds,
  isWanted: () => boolean,
  listener: TargetConnectionListener,
): Promise<TargetConnection | undefined> {
  const { url, policy } = needs;
  const address = await targetAddress(policy, url.url);
  if (!isWanted()) return undefined;
  if (url.protocol === 'rtmp') return new RtmpPush({ ...needs, address, isEncrypted: url.isEncrypted, place: rtmpPlace(url) }, listener);
  if (url.protocol === 'whip') return openWhip(needs, isWanted, listener);
  if (address.port === undefined) throw new TargetError('targets.url', 'an SRT target names its port: srt://HOST:PORT', true);
  const host = address.ip.includes(':') ? `[${address.ip}]` : address.ip;
  const options = [...srtOptions(url)].filter(([name]) => name !== 'mode').map(([name, value]) => `&${name}=${value}`);
  const srt = `srt://${host}:${address.port}?mode=caller&connect_timeout=${SRT_CONNECT_MS}${options.join('')}`;
  return new MuxerPush({ format: 'mpegts', url: srt, tracks: needs.tracks }, listener);
}

async function openWhip(
  { url: { url }, token, policy, trusted, tracks }: ConnectionNeeds,
  isWanted: () => boolean,
  listener: TargetConnectionListener,
): Promise<TargetConnection | undefined> {
  const gate = await WhipGate.open({ url, token, policy, trusted });
  if (isWanted()) {
    return new MuxerPush({ format: 'whip', url: gate.url, tracks, explain: () => gate.refusal, gone: () => gate.close() }, listener);
  }
  gate.close();
  return undefined;
}
