import type { ClusterView, NodeAnswer, NodeQuestion } from '../../api/mod.ts';
import { BUS_MESSAGE_BYTES_MAX, type Bus, decodeVersioned, encodeVersioned, readText } from '../../cluster/mod.ts';

export interface NodeQuestionsOptions {
  readonly bus: Bus;
  readonly ownId: string;
  /** The ids of nodes that are worth asking, this one among them. */
  readonly alive: () => readonly string[];
  /** What this node answers; JSON, a promise of it, or undefined when it has nothing to say. `path` is not trusted. */
  readonly answer: (question: NodeQuestion, path: string) => unknown;
  readonly now: () => number;
}

/** Whoever takes longer is left out of a list: a page that waits for the slowest node shows nothing of the others. */
const ASK_MS = 1_000;
/** A picture may wait for others, and for the process that makes it. */
const THUMBNAIL_MS = 6_000;
/** Several pages that look at the same are one round of questions. */
const FRESH_MS = 1_000;
const CACHED_MAX = 500;
const QUESTION_LENGTH_MAX = 32;
/** Two paths, with a space in between. */
const PATH_LENGTH_MAX = 300;

const subjectOf = (node: string): string => `ask/${node}`;

/** What the nodes of a cluster ask one another, over its bus, so that any node can tell of all. */
export class NodeQuestions implements Pick<ClusterView, 'ask' | 'askAll'> {
  private readonly options: NodeQuestionsOptions;
  private readonly rounds = new Map<string, { readonly at: number; readonly answers: Promise<readonly NodeAnswer[]> }>();
  private readonly end: () => void;

  constructor(options: NodeQuestionsOptions) {
    this.options = options;
    this.end = options.bus.serve(subjectOf(options.ownId), (message, reply) => this.serve(message, reply));
  }

  close(): void {
    this.end();
  }

  ask(node: string, question: NodeQuestion, path = ''): Promise<unknown> {
    const { bus, ownId, answer } = this.options;
    if (node === ownId) return Promise.resolve(answer(question, path));
    return new Promise((resolve) => {
      bus.request(subjectOf(node), encodeVersioned({ v: 1, question, path }), question === 'thumbnail' ? THUMBNAIL_MS : ASK_MS, (reply) => {
        resolve(reply.ok ? decodeVersioned(reply.value)?.['answer'] : undefined);
      });
    });
  }

  askAll(question: NodeQuestion, path = ''): Promise<readonly NodeAnswer[]> {
    const key = `${question} ${path}`;
    const now = this.options.now();
    const known = this.rounds.get(key);
    if (known !== undefined && now - known.at < FRESH_MS) return known.answers;
    const answers = Promise.all(
      this.options.alive().map(async (node): Promise<NodeAnswer> => ({ node, answer: await this.ask(node, question, path) })),
    ).then((all) => all.filter(({ answer }) => answer !== undefined));
    this.rounds.delete(key);
    this.rounds.set(key, { at: now, answers });
    this.forget(now);
    return answers;
  }

  /** Something has changed: whoever asks from now on is answered by what the nodes say from now on. */
  forgetAnswers(): void {
    this.rounds.clear();
  }

  private forget(now: number): void {
    for (const [key, { at }] of this.rounds) {
      if (now - at < FRESH_MS && this.rounds.size <= CACHED_MAX) return;
      this.rounds.delete(key);
    }
  }

  private serve(message: Uint8Array, reply: (answer: Uint8Array) => void): void {
    const fields = decodeVersioned(message);
    const question = readText(fields?.['question'], QUESTION_LENGTH_MAX);
    const path = readText(fields?.['path'], PATH_LENGTH_MAX);
    if (question === undefined || path === undefined) return;
    // One that a newer node asks and this one does not know has no answer.
    const answer = this.options.answer(question as NodeQuestion, path);
    const tell = (said: unknown): void => {
      const bytes = encodeVersioned({ v: 1, answer: said });
      reply(bytes.length <= BUS_MESSAGE_BYTES_MAX ? bytes : encodeVersioned({ v: 1 }));
    };
    if (answer instanceof Promise) answer.then(tell, () => tell(undefined));
    else tell(answer);
  }
}
