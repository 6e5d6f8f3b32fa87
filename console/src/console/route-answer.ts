import { ApiProblem } from './api-client.ts';

/** Who wants what from where; what is left out is any, or goes by what the server knows. */
export interface RouteQuestion {
  /** `app/name`. */
  readonly stream?: string;
  readonly region?: string;
  /** An IP address. */
  readonly address?: string;
  readonly publish?: boolean;
}

/** One node's part in a decision; see `GET /cluster`. */
export interface RouteOpinion {
  readonly node: string;
  readonly region: string;
  /** 0 to 1. */
  readonly headroom: number;
  readonly isNear: boolean;
  readonly hasStream: boolean;
  readonly score: number;
  readonly refusal?: string;
}

/** Where somebody is sent; without `node`, nobody can take them. */
export interface RouteAnswer {
  readonly region?: string;
  readonly node?: string;
  /** `turn`: each node has its turn; `score`: the best of two. */
  readonly choice?: string;
  /** `full`: there was none with room; `origin`: there was no edge either. */
  readonly extent?: string;
  /** The best first. */
  readonly nodes: readonly RouteOpinion[];
}

/** The query of `GET /cluster` for a question. */
export function routeQuery({ stream, region, address, publish }: RouteQuestion): string {
  return new URLSearchParams({
    explain: '1',
    ...(stream === undefined ? {} : { stream }),
    ...(region === undefined ? {} : { region }),
    ...(address === undefined ? {} : { address }),
    ...(publish === true ? { publish: '1' } : {}),
  }).toString();
}

/** Asks the server; throws {@link ApiProblem}. */
export async function askRoute(question: RouteQuestion): Promise<RouteAnswer> {
  const response = await fetch(`/cluster?${routeQuery(question)}`).catch(() => undefined);
  if (response === undefined) throw new ApiProblem(0, '', 'The server does not answer.');
  const answer = (await response.json().catch(() => undefined)) as Partial<RouteAnswer & { detail: string }> | undefined;
  // 503 with reasons says that nobody can take it, and why.
  if (Array.isArray(answer?.nodes)) return { ...answer, nodes: answer.nodes };
  throw new ApiProblem(response.status, '', answer?.detail ?? `The server answered with status ${response.status}.`);
}

const REFUSALS: Readonly<Record<string, string>> = {
  role: 'its roles are others: viewers go to edges, publishers to origins',
  stale: 'its heartbeats have stopped',
  draining: 'it is draining',
  disabled: 'it is disabled',
  full: 'it has no room left',
  excluded: 'the client comes from there',
};

/** Why a node is not for this client. */
export const refusalWords = (refusal: string): string => REFUSALS[refusal] ?? refusal;

/** Why a node is the one although something speaks against it. */
export const extentWords = (extent: string | undefined): string =>
  extent === 'origin' ? 'an origin, as no edge can take anybody' : 'it has no room left, and neither has any other';

/** What a node's score is made of. */
export function scoreWords({ isNear, hasStream }: Pick<RouteOpinion, 'isNear' | 'hasStream'>): string {
  const reasons = [...(isNear ? ['in the client’s region'] : []), ...(hasStream ? ['has the stream already'] : [])];
  return reasons.length === 0 ? 'by its room alone' : reasons.join(', ');
}
