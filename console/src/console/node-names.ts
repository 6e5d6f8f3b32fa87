import { createContext, useContext } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';

/** What nodes are called, by id. A name that two nodes have tells nobody which one it is: those are called by their ids. */
export function namesOf(nodes: readonly Pick<NodeResource, 'id' | 'name'>[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { name } of nodes) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(nodes.flatMap(({ id, name }) => (name !== undefined && counts.get(name) === 1 ? [[id, name] as const] : [])));
}

/** Of the nodes that the page knows. */
export const NodeNames = createContext<ReadonlyMap<string, string>>(new Map());

/** Names a node: by its name, or by its id where it has none of its own. */
export function useNodeName(): (id: string) => string {
  const names = useContext(NodeNames);
  return (id) => names.get(id) ?? id;
}
