export type { PushReport } from './target-push.ts';
export { type TargetSpec, Targets, type TargetsOptions, type TargetsStats } from './targets.ts';
