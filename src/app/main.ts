import { Command } from 'commander';
import { registerApiKeys } from './cli/api-keys-command.ts';
import { registerApps } from './cli/apps-command.ts';
import { registerConfig } from './cli/config-command.ts';
import { registerDev } from './cli/dev-command.ts';
import { registerEvents } from './cli/events-command.ts';
import { EXIT_USAGE } from './cli/exit-code.ts';
import { registerJoin } from './cli/join-command.ts';
import { registerKeys } from './cli/keys-command.ts';
import { registerLists } from './cli/list-commands.ts';
import { registerNodes } from './cli/nodes-command.ts';
import { registerRecordings } from './cli/recordings-command.ts';
import { registerRules } from './cli/rules-commands.ts';
import { registerApply } from './cli/settings-commands.ts';
import { registerStart } from './cli/start-command.ts';
import { registerStreams } from './cli/streams-command.ts';
import { registerTokenKeys } from './cli/token-keys-command.ts';
import { registerTokens } from './cli/tokens-command.ts';
import { registerTranscoding } from './cli/transcoding-command.ts';
import { registerWebhooks } from './cli/webhooks-command.ts';
import { registerLoad } from './load/mod.ts';
import { version } from './package-root.ts';

const program = new Command('sluice')
  .description('Live streaming server: RTMP in; LL-HLS, HTTP-FLV and RTMP out')
  .version(version, '-V, --version')
  .showHelpAfterError('(sluice --help says what there is)')
  .showSuggestionAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE))
  .addHelpText(
    'after',
    `
Examples:
  sluice start --demo                      run a server with a test picture at live/demo
  sluice start --config /etc/sluice.yaml   run a server with a configuration
  SLUICE_HTTP_PORT=9000 sluice start       any key is an environment variable, too
  sluice streams                           what is live on the server of this machine`,
  );
registerStart(program);
registerDev(program);
registerJoin(program);
registerStreams(program);
registerNodes(program);
registerTokens(program);
registerApps(program);
registerTokenKeys(program);
registerWebhooks(program);
registerRecordings(program);
registerLists(program);
registerTranscoding(program);
registerRules(program);
registerEvents(program);
registerApply(program);
registerConfig(program);
registerKeys(program);
registerApiKeys(program);
registerLoad(program);
await program.parseAsync();
