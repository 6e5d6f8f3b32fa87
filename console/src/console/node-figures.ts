import type { NodeResource } from '../../../src/api/console-contract.ts';

/** How a node stands, in one word; what is stale is that first of all. */
export type NodeStanding = 'active' | 'draining' | 'disabled' | 'stale';

export const standingOf = ({ stale, status }: Pick<NodeResource, 'stale' | 'status'>): NodeStanding => (stale ? 'stale' : status);

export const viewersOf = ({ load }: Pick<NodeResource, 'load'>): number =>
  load === undefined ? 0 : Object.values(load.viewers).reduce((sum, count) => sum + count, 0);

/** Why a node stands as it does. `formatAt` writes a time. */
export function standingReason(
  { id, stale, heardAgoMs, statusAt, statusBy }: Pick<NodeResource, 'id' | 'stale' | 'heardAgoMs' | 'statusAt' | 'statusBy'>,
  formatAt: (at: string) => string,
): string {
  if (stale) return `no sign of life for ${Math.round(heardAgoMs / 1000)} s`;
  if (statusAt === undefined || statusBy === undefined) return 'since its process began';
  const who = statusBy.replace(/^session( of )?/, (_session, of) => `somebody who was signed in${of === undefined ? '' : ' with '}`);
  return `since ${formatAt(statusAt)}, ${statusBy === id ? 'as its process was asked to end' : `by ${who}`}`;
}

/** Who is still on a node, in words: `3 viewers and 1 stream`; `nobody`. */
export function whoIsLeft(node: Pick<NodeResource, 'load'>): string {
  const viewers = viewersOf(node);
  const streams = node.load?.streams ?? 0;
  const parts = [
    ...(viewers === 0 ? [] : [viewers === 1 ? '1 viewer' : `${viewers.toLocaleString('en')} viewers`]),
    ...(streams === 0 ? [] : [streams === 1 ? '1 stream' : `${streams.toLocaleString('en')} streams`]),
  ];
  return parts.length === 0 ? 'nobody' : parts.join(' and ');
}

/** What a filter's words find: in name, id, region, roles or standing, all of them. */
export function selectNodes(nodes: readonly NodeResource[], filter: string): readonly NodeResource[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return nodes.filter((node) => {
    const text = [node.name ?? '', node.id, node.region, ...node.roles, standingOf(node)].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** `1.5 GB`; powers of ten, as disks and networks are counted. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return '–';
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

/** A part of a whole in [0, 1]; undefined where the whole is not known. */
export const shareOf = (part: number | undefined, whole: number | undefined): number | undefined =>
  part === undefined || whole === undefined || whole <= 0 ? undefined : Math.min(1, Math.max(0, part / whole));
