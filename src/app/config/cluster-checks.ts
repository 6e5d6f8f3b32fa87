import type { Config } from './config.ts';
import type { TakeProblem } from './value-checks.ts';

/** What no single key of a cluster's can tell. */
export function clusterChecks({ found, join }: Config['cluster'], problem: TakeProblem): void {
  if (join.url !== '' && !(URL.canParse(join.url) && /^https?:$/.test(new URL(join.url).protocol)))
    problem('cluster.join.url', `${JSON.stringify(join.url.slice(0, 80))} is no address of a manager: give https://HOST:PORT`);
  if (join.url !== '' && found) problem('cluster.join.url', 'a node founds a cluster (cluster.found) or joins one: take one of them away');
  if (join.token !== '' && join.tokenFile !== '')
    problem('cluster.join.tokenFile', 'the token is given twice: take cluster.join.token or this one away');
}
