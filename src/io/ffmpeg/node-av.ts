/** node-av's module object. */
export type NodeAv = typeof import('node-av');

/** Loads node-av, which only child processes may do; undefined where the platform has none. */
export async function loadNodeAv(): Promise<NodeAv | undefined> {
  try {
    return await import('node-av');
  } catch {
    return undefined;
  }
}

/** What to say where there is no node-av, without the way out, which depends on what it is needed for. */
export const NODE_AV_MISSING: string = `the optional package node-av is not installed or has no build for ${process.platform}-${process.arch}; run "npm install --include=optional"`;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
