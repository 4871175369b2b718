import { joinCommand } from '../../client/own-identity.ts';
import { printPublicKeyFile, publicPartOf } from '../../security/key-file.ts';
import { clientKeyFolder } from '../client-identity.ts';
import { formatOwnKeys, managerFields } from '../formats/own-keys.ts';
import { addGlobalOptions, configOf } from '../global-options.ts';
import { loadKeys } from '../own-keys.ts';
import type { Program } from '../program.ts';
import { newCommand } from '../verbs.ts';

function showCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client keys show', deps.terminal)
    .description('Show your name, your fingerprint, and the managers that you joined; nothing secret.')
    .option('--public', 'print the public key file that goes into operators.d of an agent instead');
  return addGlobalOptions(command).addHelpText(
    'after',
    `
Example:
  service-mgr-client keys show --public > alice.pub`,
  );
}

export async function showKeys(argv: readonly string[], program: Program): Promise<number> {
  const { deps, output } = program;
  const { public: isPublic, ...options } = showCommand(program)
    .parse([...argv], { from: 'user' })
    .opts();
  const folder = clientKeyFolder(configOf({ ...program.given, ...options }, deps.files), deps);
  const keys = loadKeys(folder, joinCommand);
  output.data(
    isPublic === true
      ? printPublicKeyFile(publicPartOf(keys))
      : formatOwnKeys(keys, folder.keyFile, managerFields(folder.managers())),
  );
  return 0;
}
