export { nodeRtmpCrypto } from './node-crypto.ts';
export { RtmpListener, type RtmpListenerOptions, type RtmpListenerStats } from './rtmp-listener.ts';
