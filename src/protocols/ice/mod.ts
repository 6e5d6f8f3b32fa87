export { type CandidateType, candidatePriority, hostCandidate, type IceCandidate, parseCandidate, writeCandidate } from './candidate.ts';
export { createIceCredentials, type IceCredentials, isIcePwd, isIceUfrag } from './credentials.ts';
export type { IceCrypto } from './crypto-port.ts';
export { defaultIceClientOptions, IceClient, type IceClientOptions, type IceClientOutput, type IceFailure } from './ice-client.ts';
export { defaultIceLiteOptions, IceLite, type IceLiteCounters, type IceLiteOptions, type IceLiteOutput } from './ice-lite.ts';
export { isStun, type TransportAddress } from './stun-message.ts';
export { frameForTcp, TCP_FRAME_BYTES_MAX, TcpFrameReader } from './tcp-framing.ts';
export type { IceTransport } from './transport.ts';
