import { FormatRegistry, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { StreamBody } from '../cluster/mod.ts';
import type { NodeResource } from './cluster-contract.ts';

// Without this, no text has a format that is right.
FormatRegistry.Set('date-time', (text) => !Number.isNaN(Date.parse(text)));

/** A stream as the directory has it. */
export interface KnownStream {
  /** `app/name`. */
  readonly name: string;
  readonly holder: { readonly node: string };
  readonly epoch: number;
  readonly body: Pick<StreamBody, 'startedWallMs' | 'state' | 'protocol' | 'tracks' | 'renditions' | 'makers'>;
}

/** What nodes are asked by one another for the console. */
export type NodeQuestion = 'alarms' | 'relays' | 'sources' | 'targets' | 'transcoding' | 'stream' | 'streams' | 'end-stream' | 'thumbnail';

/** The cluster as the node that answers knows it; a node on its own is a cluster of one. */
export interface ClusterView {
  readonly ownId: string;
  /** Whether there are no other nodes, for good. */
  readonly isAlone: boolean;
  /** False while this node is cut off from the cluster, and goes by what it knew. */
  readonly isConnected: boolean;
  streams(): Iterable<KnownStream>;
  stream(path: string): KnownStream | undefined;
  /** '' for a node that is not known. */
  regionOf(node: string): string;
  /** Whether it is a node of the cluster, and not stale. */
  isAlive(node: string): boolean;
  nodes(): Iterable<NodeResource>;
  /** Asks one node; undefined when it does not answer. */
  ask(node: string, question: NodeQuestion, path?: string): Promise<unknown>;
  /** Asks all that are alive, and gives the answers of those who answer in time. */
  askAll(question: NodeQuestion, path?: string): Promise<readonly NodeAnswer[]>;
}

export interface NodeAnswer {
  readonly node: string;
  readonly answer: unknown;
}

/** An answer of another node, which may run another version: undefined for what is not as it should be. */
export const checked = <Answer>(schema: TSchema, answer: unknown): Answer | undefined =>
  Value.Check(schema, answer) ? (answer as Answer) : undefined;

/** The answer of one node, in a list that is empty where it does not answer as it should. `node` is not trusted. */
export async function checkedAnswerOf<Answer>(
  view: ClusterView,
  node: string,
  question: NodeQuestion,
  schema: TSchema,
): Promise<readonly { readonly node: string; readonly answer: Answer }[]> {
  const answer = view.isAlive(node) ? checked<Answer>(schema, await view.ask(node, question)) : undefined;
  return answer === undefined ? [] : [{ node, answer }];
}

/** The answers that are as they should be, by node. */
export async function checkedAnswers<Answer>(
  view: ClusterView,
  question: NodeQuestion,
  schema: TSchema,
  path?: string,
): Promise<readonly { readonly node: string; readonly answer: Answer }[]> {
  const answers = await view.askAll(question, path);
  return answers
    .flatMap(({ node, answer }) => {
      const right = checked<Answer>(schema, answer);
      return right === undefined ? [] : [{ node, answer: right }];
    })
    .sort((left, right) => (left.node < right.node ? -1 : 1));
}
