export { type HlsPlace, hlsPlace } from './hls-place.ts';
export { HLS_DEFAULTS, HlsRoute, type HlsRouteOptions, type HlsStats } from './hls-route.ts';
export type { HlsSource } from './hls-stream.ts';
