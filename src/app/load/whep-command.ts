import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SrtpProfile } from '../../io/mod.ts';
import { notNegative, positive, type RunOptions, runAndPrint, withRunOptions } from './run-options.ts';
import { WhepFleet } from './whep-fleet.ts';
import { WhepViewer } from './whep-viewer.ts';

const PROBES = 20;
const JOINING = 64;
const PROFILES: Readonly<Record<string, SrtpProfile>> = { gcm: 'AEAD_AES_128_GCM', cm: 'AES_CM_128_HMAC_SHA1_80' };

interface WhepCommandOptions extends RunOptions {
  readonly viewers: number;
  readonly probes: number;
  readonly joining: number;
  readonly nack?: boolean;
  readonly srtp?: string;
  readonly token?: string;
}

/** Adds `sluice load whep`. */
export function registerWhep(load: Command): void {
  withRunOptions(
    load
      .command('whep')
      .argument('<url>', 'e.g. http://HOST:8080/live/show/whep')
      .option('--viewers <n>', 'how many viewers', positive, 1)
      .option('--probes <n>', 'how many of them put frames together and send transport feedback', notNegative, PROBES)
      .option('--joining <n>', 'viewers that join at a time', positive, JOINING)
      .option('--nack', 'probes ask for lost packets again')
      .addOption(new Option('--srtp <profile>', 'offer only this SRTP profile').choices(Object.keys(PROFILES)))
      .option('--token <token>', 'bearer token for the server'),
  )
    .description('plays over WHEP (WebRTC): ICE, DTLS and SRTP by UDP')
    .action(async (url: string, options: WhepCommandOptions) => {
      const { viewers, probes, joining, nack = false, srtp, token } = options;
      const profile = srtp === undefined ? undefined : PROFILES[srtp];
      const fleet = new WhepFleet({
        url: endpointUrl(url),
        viewers,
        joining,
        nack,
        ...(profile === undefined ? {} : { srtpProfiles: [profile] }),
        ...(token === undefined ? {} : { token }),
      });
      const every = probes === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(viewers / probes));
      await runAndPrint('whep', url, viewers, options, (index) => new WhepViewer(fleet, index % every === 0 && index / every < probes));
      await fleet.close();
    });
}

function endpointUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new InvalidArgumentError(`${text} is not an http:// or https:// URL`);
  return url;
}
