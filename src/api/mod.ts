export { API_PREFIX, type ApiKeys, type ApiOptions, problemHandlers, registerApi } from './api.ts';
export type { ProblemResource, PublisherResource, StreamPage, StreamResource, TrackResource } from './contract.ts';
export { PAGE_STYLE } from './docs-page.ts';
export type { Operation, OperationContext, Scope } from './operation.ts';
export { ApiError, PROBLEM_TYPE, type ProblemCode, problem, problemCodes } from './problem.ts';
export { type StreamDirectory, type StreamSource, streamOperations } from './streams.ts';
export { type RungSource, type TranscodingSource, transcodingOperations } from './transcoding.ts';
