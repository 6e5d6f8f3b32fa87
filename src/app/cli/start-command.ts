import type { Command } from 'commander';
import type pino from 'pino';
import { SluiceError } from '../../core/mod.ts';
import { countPayloadsAsHeap, createLog, loadIdentity, openTracing, Secrets, systemClock, type Tracing } from '../../io/mod.ts';
import { adminKeyLine, banner } from '../banner.ts';
import { ClusterMember } from '../cluster-member.ts';
import type { Config } from '../config/mod.ts';
import { ensureStreamKeys } from '../first-start.ts';
import { startNode } from '../node.ts';
import { version } from '../package-root.ts';
import { exitOnSignals, exitOnUncaught } from '../shutdown.ts';
import { CONFIG_OPTION, load } from './config-command.ts';
import { EXIT_USAGE } from './exit-code.ts';
import { fail } from './fail.ts';

interface StartOptions {
  readonly config?: string;
  readonly demo?: boolean;
}

/** `sluice start`: one node with role `mono`, until a signal ends it. */
export function registerStart(program: Command): void {
  program
    .command('start')
    .description('run a server; Ctrl-C ends it')
    .option(...CONFIG_OPTION)
    .option('--demo', 'publish a moving test picture as live/demo')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice start --demo\n  sluice start --config /etc/sluice.yaml\n  SLUICE_RTMP_PORT=1940 sluice start',
    )
    .action(async (options: StartOptions) => {
      try {
        await startServer(options);
      } catch (error) {
        // Whatever was started before the failure must not keep the process.
        process.exit(fail(error));
      }
    });
}

/** Runs a server until a signal ends the process; throws when it cannot be started. */
export async function startServer(options: StartOptions): Promise<void> {
  countPayloadsAsHeap();
  const config = load(options.config);
  if (options.demo === true) config.demo.enabled = true;
  const log = createLog(config.log.level, config.log.format);
  exitOnUncaught(log);
  const secrets = Secrets.open(config.dataFolder);
  const { streamKeys, newStreamKeys } = ensureStreamKeys(config, secrets, new Date());
  const tracing = await tracingOf(config, log);
  const cluster = await ClusterMember.open({ config, version, clock: systemClock, log, tracing });
  let newAdminKey: string | undefined;
  let adminKeyMade = (key: string): void => {
    newAdminKey = key;
  };
  const node = await startNode({
    config,
    secrets,
    streamKeys,
    version,
    log,
    tracing,
    adminKeyMade: (key) => adminKeyMade(key),
    ...(cluster === undefined ? {} : { cluster }),
  });
  const end = exitOnSignals(
    async () => {
      await node.close();
      await tracing?.close();
    },
    log,
    () => cluster?.drain(),
  );
  cluster?.whenDrained(() => end('drained'));
  cluster?.removal.whenOver(() => end('removed', EXIT_USAGE));
  const { httpPort, rtmpPort, webrtcPort } = node;
  await node.ensureAdminKey();
  // That of a cluster whose store could not be reached yet.
  adminKeyMade = (key) => console.log(adminKeyLine(key));
  console.log(banner({ version, config, httpPort, rtmpPort, webrtcPort, newAdminKey, newStreamKeys }));
  log.info({ code: 'app.started', version, httpPort, rtmpPort, webrtcPort }, 'ready');
}

/** Undefined when nothing is to be traced, which costs nothing then. */
async function tracingOf({ tracing, dataFolder }: Config, log: pino.Logger): Promise<Tracing | undefined> {
  const { endpoint, samplePercent, trustCallers } = tracing;
  if (endpoint === '') return undefined;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new SluiceError('config.tracing', `tracing.endpoint: ${endpoint} is no URL such as http://127.0.0.1:4318/v1/traces`);
  }
  return openTracing({ endpoint, samplePercent, trustCallers, version, nodeId: loadIdentity(dataFolder)?.nodeId ?? 'n1', log });
}
