import { joinCommand } from '../../client/own-identity.ts';
import { clientKeyFolder } from '../client-identity.ts';
import { exitCodeNamed } from '../exit-codes.ts';
import { addGlobalOptions, configOf } from '../global-options.ts';
import type { Program } from '../program.ts';
import { rotateKeys } from '../rotate-keys.ts';
import { newCommand } from '../verbs.ts';
import { joinTimeoutOf } from './join.ts';

function rotateCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client keys rotate', deps.terminal).description(
    'Make new keys, have all managers that you joined accept them, and use them from then on.',
  );
  return addGlobalOptions(command).addHelpText(
    'after',
    `
The managers know the keys before for an hour more. If a manager cannot be reached
it ends with 69 and keeps the new keys: the same command goes on from there.
Agents that have your public key in operators.d need the new one, as "keys show
--public" prints it.`,
  );
}

export async function rotateOwnKeys(argv: readonly string[], program: Program): Promise<number> {
  const { deps, output } = program;
  const options = rotateCommand(program)
    .parse([...argv], { from: 'user' })
    .opts();
  const settings = configOf({ ...program.given, ...options }, deps.files);
  const command = {
    folder: clientKeyFolder(settings, deps),
    joinCommand,
    timeoutMs: joinTimeoutOf(settings),
  };
  const keys = await rotateKeys(command, { ...deps.openClient(), output });
  return keys === undefined ? exitCodeNamed('pending') : 0;
}
