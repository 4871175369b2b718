import { Option } from '@commander-js/extra-typings';
import { joinCommand } from '../../client/own-identity.ts';
import { nodeName } from '../../config/values.ts';
import { clientKeyFolder } from '../client-identity.ts';
import { formatOwnKeys } from '../formats/own-keys.ts';
import { addGlobalOptions, checked, configOf } from '../global-options.ts';
import { keyName } from '../join-keys.ts';
import { makeKeys } from '../own-keys.ts';
import type { Program } from '../program.ts';
import { newCommand } from '../verbs.ts';

function initCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client keys init', deps.terminal)
    .description('Make your keys. Those that you have already are never overwritten.')
    .option('--name <name>', 'by which you are known (default: your login name)', checked(nodeName))
    .addOption(
      new Option('--kind <kind>', 'operators may do what the policy allows, monitors look')
        .choices(['operator', 'monitor'] as const)
        .default('operator' as const),
    );
  return addGlobalOptions(command);
}

export async function initKeys(argv: readonly string[], program: Program): Promise<number> {
  const { deps, output } = program;
  const { name, kind, ...options } = initCommand(program)
    .parse([...argv], { from: 'user' })
    .opts();
  const folder = clientKeyFolder(configOf({ ...program.given, ...options }, deps.files), deps);
  const made = makeKeys(folder, kind, name ?? keyName(deps.userName), deps.openClient().clock.wallMs());
  output.data(formatOwnKeys(made, folder.keyFile));
  output.message(`now join a manager: ${joinCommand}`);
  return 0;
}
