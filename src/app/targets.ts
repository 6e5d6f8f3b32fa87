import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type pino from 'pino';
import { UrlPolicy } from '../access/mod.ts';
import { SluiceError } from '../core/mod.ts';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type MetricSource, Targets } from '../io/mod.ts';
import type { Config } from './config/mod.ts';

const STATES = ['waiting', 'connecting', 'sending', 'retrying', 'refused'] as const;

/** The targets of all apps as the configuration has them. Throws `SluiceError` when `targets.tlsCaFile` cannot be read. */
export function createTargets({ apps, targets }: Config, hub: Hub, clock: Clock, log: pino.Logger): Targets {
  return new Targets({
    targetsOf: (app) => apps[app]?.targets ?? [],
    find: (path) => hub.stream(path),
    policy: new UrlPolicy({ allowedNetworks: targets.allowedNetworks, allowedFolders: [] }),
    trusted: trustedCertificates(targets.tlsCaFile),
    pushesMax: targets.max,
    queueBytesMax: targets.queueBytesMax,
    clock,
    log,
    random: Math.random,
  });
}

/** What they tell: how many stand how, what has been sent, what went wrong. */
export function targetMetrics(targets: Targets): readonly MetricSource[] {
  const counter = (name: string, help: string, read: () => number): MetricSource => ({
    name,
    kind: 'counter',
    help,
    read: () => [{ value: read() }],
  });
  return [
    {
      name: 'sluice_targets',
      kind: 'gauge',
      help: 'Targets that streams are pushed to, by state',
      labels: ['state'],
      read: () => {
        const { byState } = targets.stats();
        return STATES.map((state) => ({ labels: { state }, value: byState.get(state) ?? 0 }));
      },
    },
    counter('sluice_targets_sent_bytes_total', 'Bytes sent to targets', () => targets.stats().bytesSent),
    counter('sluice_targets_retries_total', 'Attempts to push to a target that failed', () => targets.stats().retries),
    counter('sluice_targets_dropped_frames_total', 'Frames left out since a target did not take them fast enough', () => {
      return targets.stats().framesDropped;
    }),
  ];
}

/** Empty: the well-known ones alone, which TLS trusts by itself. */
function trustedCertificates(file: string): readonly string[] {
  if (file === '') return [];
  try {
    return [...rootCertificates, readFileSync(file, 'utf8')];
  } catch (cause) {
    throw new SluiceError('app.targets-tls', `targets.tlsCaFile ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
