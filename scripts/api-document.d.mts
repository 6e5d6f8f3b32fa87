import type { Operation } from '../src/api/mod.ts';

export function allOperations(): Operation[];
export function apiDocument(): Promise<Record<string, unknown>>;
