export type { AllocationWorld } from './allocation-book.ts';
export { AllocationFollower, type AllocationFollowerOptions } from './allocation-follower.ts';
export { Allocator, type AllocatorOptions } from './allocator.ts';
