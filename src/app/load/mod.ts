export { registerLoad } from './command.ts';
export { type HlsPart, type HlsPlaylist, parsePlaylist } from './hls-playlist.ts';
export type { LoadResult } from './load-result.ts';
export type { WebrtcResult } from './webrtc-result.ts';
