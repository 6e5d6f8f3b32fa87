export { nodeRtmpCrypto } from './node-crypto.ts';
export type { RtmpElsewhere, RtmpPlaces } from './rtmp-connection.ts';
export { RtmpListener, type RtmpListenerOptions, type RtmpListenerStats } from './rtmp-listener.ts';
