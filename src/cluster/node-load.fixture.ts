import type { NodeLoad } from './heartbeat.ts';

/** What a node says of itself that has nothing to do. */
export const IDLE_LOAD: NodeLoad = {
  cpu: 0,
  memoryBytes: 0,
  memoryMaxBytes: 0,
  networkInBps: 0,
  networkOutBps: 0,
  networkMaxBps: 0,
  loopLagMs: 0,
  viewers: { flv: 0, rtmp: 0, hls: 0, webrtc: 0 },
  viewersMax: 0,
  streams: 0,
  tasks: 0,
  tasksMax: 0,
  diskFreeBytes: 0,
  mediaInBps: 0,
  mediaOutBps: 0,
  latencyP50Ms: 0,
  latencyP95Ms: 0,
};
