export { type Kernel, type KernelModule, loadKernel, type ReceiverCounts, type SrtpProfile } from './kernel.ts';
export { type BodyLimits, readBody } from './request-body.ts';
export { WebrtcServer, type WebrtcServerOptions } from './webrtc-server.ts';
export type { WebrtcStats } from './webrtc-stats.ts';
export { WHIP_ROUTE_DEFAULTS, WhipRoute, type WhipRouteOptions } from './whip-route.ts';
