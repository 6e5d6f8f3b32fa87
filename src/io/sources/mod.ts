export type { SourceReport, SourceSettings } from './pull-source.ts';
export { PullSources, type PullSourcesOptions } from './pull-sources.ts';
