export { awaitsSender } from './awaits-sender.ts';
export { displayUrl, withoutCredentials } from './display-url.ts';
export {
  type SourceEnd,
  type SourceFailure,
  type SourceMode,
  type SourceState,
  SourceSupervisor,
  type SourceSupervisorOptions,
  type SourceSupervisorOutput,
} from './source-supervisor.ts';
