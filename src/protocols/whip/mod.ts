export { readCredential } from './bearer.ts';
export type { IceDescription, IceFragment } from './ice-fragment.ts';
export type { IceServer } from './ice-server.ts';
export { WhipEndpoint, type WhipEndpointOptions, type WhipRandom, type WhipStats } from './whip-endpoint.ts';
export type { WhipBody, WhipRequest, WhipRequestHeaders, WhipResponse } from './whip-message.ts';
export { problemResponse, type WhipRefusal } from './whip-problem.ts';
export type {
  WhipAnswer,
  WhipCredential,
  WhipLayer,
  WhipLayerChoice,
  WhipLayers,
  WhipOffer,
  WhipRedirect,
  WhipRefused,
  WhipRestart,
  WhipSession,
  WhipSessions,
} from './whip-sessions.ts';
export { parseSessionName, parseWhipPath, type SessionName, type WhipKind, type WhipTarget } from './whip-target.ts';
