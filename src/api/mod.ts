export { API_PREFIX, type ApiKeys, type ApiOptions, problemHandlers, registerApi } from './api.ts';
export type {
  CoordinationResource,
  EndpointsResource,
  JoinAnswer,
  JoinRequest,
  JoinTokenPage,
  JoinTokenResource,
  JoinTokenWish,
  NewJoinTokenResource,
  NodeLoadResource,
  NodePage,
  NodePatch,
  NodeResource,
} from './cluster-contract.ts';
export { type JoinTokens, joinTokenOperations } from './cluster-tokens.ts';
export type { ProblemResource, PublisherResource, StreamPage, StreamResource, TargetResource, TrackResource } from './contract.ts';
export { PAGE_STYLE } from './docs-page.ts';
export { JOIN_TOKEN_HEADER, joinOperations, type NodeJoiner } from './join.ts';
export { type ClusterNodes, nodeOperations } from './nodes.ts';
export type { ApiCaller, Operation, OperationContext, Scope } from './operation.ts';
export { ApiError, PROBLEM_TYPE, type ProblemCode, problem, problemCodes } from './problem.ts';
export { type SourceDirectory, sourceOperations } from './sources.ts';
export { type StreamDirectory, type StreamSource, streamOperations } from './streams.ts';
export { type TargetDirectory, type TargetReport, targetOperations } from './targets.ts';
export { type RungSource, type TranscodingSource, transcodingOperations } from './transcoding.ts';
