import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { createLog } from '../../io/mod.ts';
import { DevCluster } from '../dev/mod.ts';
import { program as programFile } from '../package-root.ts';
import { exitOnSignals } from '../shutdown.ts';
import { fail } from './fail.ts';

interface DevOptions {
  readonly folder: string;
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly webrtcPort: number;
  readonly relayPort: number;
  readonly demo: boolean;
}

const PORT_MAX = 65_000;

/** `sluice dev`: a whole cluster on this machine, until Ctrl-C. */
export function registerDev(program: Command): void {
  program
    .command('dev')
    .description('run a cluster of two regions on this machine, to try and to test with')
    .option('--folder <folder>', 'where the nodes keep what they keep', './data/dev')
    .option('--http-port <port>', 'HTTP port of the first node; the others take the next ones; 0: free ones', port, 8080)
    .option('--rtmp-port <port>', 'RTMP port of the first node', port, 1935)
    .option('--webrtc-port <port>', 'WebRTC port of the first node', port, 8189)
    .option('--relay-port <port>', 'relay port of the first node', port, 7350)
    .option('--no-demo', 'without the demo stream')
    .action(async ({ folder, httpPort, rtmpPort, webrtcPort, relayPort, demo }: DevOptions) => {
      const log = createLog('warn', 'auto');
      const cluster = new DevCluster({
        folder: resolve(folder),
        ports: { http: httpPort, rtmp: rtmpPort, webrtc: webrtcPort, relay: relayPort },
        hasDemo: demo,
        program: programFile,
        say: (line) => console.log(`  ${line}`),
      });
      exitOnSignals(() => cluster.stop(), log);
      // However this process ends, none of them is left behind.
      process.once('exit', () => cluster.kill());
      try {
        console.log('\n  Starting a cluster of two regions …');
        if (await cluster.start()) console.log(cluster.describe());
      } catch (error) {
        process.exit(fail(error));
      }
    });
}

function port(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= PORT_MAX) return value;
  throw new InvalidArgumentError(`take a whole number from 0 to ${PORT_MAX}`);
}
