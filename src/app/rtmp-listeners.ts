import { readFileSync } from 'node:fs';
import type pino from 'pino';
import type { AccessControl, AccessGate, AdmittedSessions } from '../access/mod.ts';
import { durationMs, SluiceError, sizeBytes } from '../core/mod.ts';
import type { Hub } from '../hub/mod.ts';
import { type BringStream, type BroadcastOptions, type Clock, RtmpListener, type RtmpListenerOptions, type RtmpPlaces } from '../io/mod.ts';
import { defaultRtmpServerOptions } from '../protocols/rtmp/mod.ts';
import type { Config } from './config/mod.ts';

export interface RtmpNeeds {
  readonly config: Config;
  readonly hub: Hub;
  readonly bring: BringStream;
  /** Where clients belong, in a cluster. */
  readonly places: RtmpPlaces | undefined;
  readonly access: AccessControl;
  /** Who may publish and play. */
  readonly gate: AccessGate;
  readonly admitted: AdmittedSessions;
  readonly broadcast: BroadcastOptions;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** The listeners that the configuration asks for: none, RTMP, or RTMP and RTMPS. */
export function createRtmpListeners(needs: RtmpNeeds): readonly RtmpListener[] {
  const { rtmp } = needs.config;
  if (!rtmp.enabled) return [];
  const common = commonOptions(needs);
  const plain = new RtmpListener({ ...common, port: rtmp.port, portKey: 'rtmp.port', portVariable: 'SLUICE_RTMP_PORT' });
  if (rtmp.tls.certFile === '') return [plain];
  const tls = { cert: readPem(rtmp.tls.certFile, 'rtmp.tls.certFile'), key: readPem(rtmp.tls.keyFile, 'rtmp.tls.keyFile') };
  return [plain, new RtmpListener({ ...common, tls, port: rtmp.tls.port, portKey: 'rtmp.tls.port', portVariable: 'SLUICE_RTMP_TLS_PORT' })];
}

function commonOptions({
  config,
  hub,
  bring,
  places,
  access,
  gate,
  admitted,
  broadcast,
  clock,
  log,
}: RtmpNeeds): Omit<RtmpListenerOptions, 'port' | 'portKey' | 'portVariable'> {
  const { rtmp } = config;
  const idleTimeoutMs = durationMs(rtmp.idleTimeoutMs);
  return {
    host: rtmp.host,
    connectionsMax: rtmp.connectionsMax,
    connectionsPerAddressMax: rtmp.connectionsPerAddressMax,
    session: {
      setupTimeoutMs: durationMs(rtmp.handshakeTimeoutMs),
      idleTimeoutMs,
      // A peer that is only quiet has to be asked before its time is up.
      pingIntervalMs: durationMs(Math.min(defaultRtmpServerOptions.pingIntervalMs, idleTimeoutMs / 2)),
      limits: {
        ...defaultRtmpServerOptions.limits,
        chunkSizeMax: rtmp.chunkSizeMax,
        messageSizeMax: rtmp.messageSizeMax,
        partialBytesMax: rtmp.messageSizeMax * 2,
      },
    },
    broadcast,
    gopCacheBytesMax: sizeBytes(config.hub.gopCacheBytesMax),
    secondPublisher: (app) => (access.secondPublisher(app) === 'takeover' ? 'takeover' : 'reject'),
    hub,
    bring,
    places,
    access: gate,
    admitted,
    clock,
    log,
  };
}

function readPem(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SluiceError('config.tls-file', `${key}: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
