import { UrlPolicy } from '../../access/mod.ts';
import { isName, isStreamPattern, SluiceError, streamRef } from '../../core/mod.ts';
import { fillUrl, parseTargetUrl } from '../../targets/mod.ts';
import type { TargetConfig } from './config.ts';

/** Takes what is wrong with the value of a key. */
type Problem = (key: string, message: string) => void;

const NAMES = 'take 1 to 64 letters, digits, "_", "." or "-", starting with a letter, digit or "_"';

/** Networks that a list has in a form that nobody can read. */
export function allowedNetworksCheck(key: string, networks: readonly string[], problem: Problem): void {
  for (const [index, network] of networks.entries()) {
    const message = failureOf(() => new UrlPolicy({ allowedNetworks: [network], allowedFolders: [] }));
    if (message !== undefined) problem(`${key}[${index}]`, message);
  }
}

/** What no single key of an app's targets can tell. */
export function targetChecks(app: string, targets: readonly TargetConfig[], problem: Problem): void {
  for (const [index, { name, url, token, streams, rendition }] of targets.entries()) {
    const key = `apps.${app}.targets[${index}]`;
    if (!isName(name)) problem(`${key}.name`, `"${name}" is not usable as a name: ${NAMES}`);
    else if (targets.slice(0, index).some((other) => other.name === name))
      problem(`${key}.name`, `"${name}" is the name of a target before`);
    if (!isStreamPattern(streams)) {
      problem(`${key}.streams`, `"${streams}" is no pattern: write a stream's name, with "*" for any characters`);
    }
    if (!isName(rendition)) problem(`${key}.rendition`, `"${rendition}" is no rendition: take "source" or the name of a rung`);
    const message = failureOf(() => parseTargetUrl(fillUrl(url, streamRef(app, 'any'))));
    if (message !== undefined) problem(`${key}.url`, message);
    if (token !== '' && !/^(whip\+)?https?:/i.test(url)) problem(`${key}.token`, 'only WHIP targets take a token: leave it out');
  }
}

function failureOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof SluiceError) return error.message;
    throw error;
  }
}
