import { randomBytes } from 'node:crypto';
import type pino from 'pino';
import type { AccessControl, AccessGate, AdmittedSessions } from '../access/mod.ts';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type JoinTraces, loadKernel, type StreamDoor, WebrtcServer, WHIP_ROUTE_DEFAULTS, WhipRoute } from '../io/mod.ts';
import { WhipEndpoint } from '../protocols/whip/mod.ts';
import type { Config } from './config/mod.ts';
import { iceServers } from './ice-servers.ts';

export interface WebrtcNeeds {
  readonly config: Config;
  readonly hub: Hub;
  readonly door: StreamDoor;
  readonly access: AccessControl;
  /** Who may publish and play. */
  readonly gate: AccessGate;
  readonly admitted: AdmittedSessions;
  readonly joins: JoinTraces | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
  /** Stands in the sessions' URLs. */
  readonly nodeId: string;
  /** Whether viewers are to go on at another node. */
  readonly isLeaving: () => boolean;
}

/** WebRTC as the node has it: its sessions, and the HTTP side of them. */
export interface Webrtc {
  readonly server: WebrtcServer;
  readonly endpoint: WhipEndpoint;
  readonly route: WhipRoute;
}

/** What the configuration asks for; undefined when it is off, or the native addon is missing, which is logged. */
export function createWebrtc({
  config,
  hub,
  door,
  access,
  gate,
  admitted,
  joins,
  clock,
  log,
  nodeId,
  isLeaving,
}: WebrtcNeeds): Webrtc | undefined {
  const { webrtc } = config;
  if (!webrtc.enabled) return undefined;
  const module = loadKernel();
  if (module.unavailable !== undefined) {
    log.warn({ code: 'webrtc.unavailable' }, `WebRTC is off: ${module.unavailable}`);
    return undefined;
  }
  const server = new WebrtcServer(module, {
    host: webrtc.host,
    port: webrtc.port,
    tcp: webrtc.tcp,
    publicAddresses: webrtc.publicAddresses,
    sessionsMax: webrtc.sessionsMax,
    sessionsPerAddressMax: webrtc.sessionsPerAddressMax,
    keyframeIntervalMs: webrtc.keyframeIntervalMs,
    segmentationOffload: webrtc.segmentationOffload,
    hub,
    admitted,
    ...(joins === undefined ? {} : { joins }),
    secondPublisher: (app) => (access.secondPublisher(app) === 'takeover' ? 'takeover' : 'reject'),
    clock,
    log,
  });
  const random = { randomBytes: (length: number) => new Uint8Array(randomBytes(length)) };
  const endpoint = new WhipEndpoint(server, random, { nodeId, iceServers: iceServers(webrtc.iceServers), isLeaving });
  const letIn = (session: string, credential: string): void => server.letIn(session, credential);
  const route = new WhipRoute({
    ...WHIP_ROUTE_DEFAULTS,
    ...(joins === undefined ? {} : { joins }),
    log,
    endpoint,
    door,
    access: gate,
    letIn,
  });
  return { server, endpoint, route };
}
