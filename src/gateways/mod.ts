export type { BroadcastOutput, BroadcastPackager } from './broadcast-packager.ts';
export { FlvToHub, type FlvToHubOutput, type FlvToHubStats } from './flv-to-hub.ts';
export type { HlsPlaylists } from './hls-playlists.ts';
export type { HlsWindowLimits } from './hls-window.ts';
export { HubToFlv, type HubToFlvOptions } from './hub-to-flv.ts';
export { type HlsOutput, HubToHls } from './hub-to-hls.ts';
export { HubToRtmp, type HubToRtmpOptions } from './hub-to-rtmp.ts';
export { RtmpToHub } from './rtmp-to-hub.ts';
