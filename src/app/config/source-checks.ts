import { UrlPolicy } from '../../access/mod.ts';
import { withoutCredentials } from '../../sources/mod.ts';
import type { Config } from './config.ts';

/** Takes what is wrong with the value of a key. */
type Problem = (key: string, message: string) => void;

const SCHEMES = 'take rtsp, rtsps, rtmp, rtmps, srt, udp, http or https, or the absolute path of a file';
const WHAT_ALLOWS: Readonly<Record<string, string>> = {
  address: ' (sources.allowedNetworks lists those that are)',
  path: ' (sources.allowedFolders lists those that are)',
};

/** Sources whose URL is not usable, or leads where none may. What a host name resolves to is judged when the source is opened. */
export function sourceChecks({ apps, sources }: Config, problem: Problem): void {
  const policy = new UrlPolicy(sources);
  for (const [app, { sources: named }] of Object.entries(apps)) {
    for (const [name, { url }] of Object.entries(named)) {
      const message = url === '' ? `missing: ${SCHEMES}` : wrongUrl(url, policy);
      if (message !== undefined) problem(`apps.${app}.sources.${name}.url`, message);
    }
  }
}

function wrongUrl(url: string, policy: UrlPolicy): string | undefined {
  const verdict = policy.judge(url);
  if (!verdict.isAllowed) return `${withoutCredentials(verdict.reason)}${WHAT_ALLOWS[verdict.code] ?? ''}`;
  if (verdict.kind === 'file') return undefined;
  if (verdict.scheme.startsWith('whip+')) return `nothing can be fetched by ${verdict.scheme}: ${SCHEMES}`;
  const needsPort = verdict.scheme === 'srt' || verdict.scheme === 'udp';
  return needsPort && verdict.port === undefined ? `a port is missing: write ${verdict.scheme}://HOST:PORT` : undefined;
}
