import { ServiceManagerError } from '../../wire/errors.ts';
import { addGlobalOptions } from '../global-options.ts';
import type { Program, Verb } from '../program.ts';
import { newCommand, readCommand, runVerb } from '../verbs.ts';
import { initKeys } from './keys-init.ts';
import { rotateOwnKeys } from './keys-rotate.ts';
import { showKeys } from './keys-show.ts';

const verbs: readonly Verb[] = [
  {
    name: 'init',
    usage: '[options]',
    summary: 'make your keys, which join does as well',
    run: initKeys,
  },
  {
    name: 'show',
    usage: '[options]',
    summary: 'show your name, your fingerprint, and the managers that you joined',
    run: showKeys,
  },
  {
    name: 'rotate',
    usage: '[options]',
    summary: 'make new keys, and use them when all managers have accepted them',
    run: rotateOwnKeys,
  },
];

function keysCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client keys', deps.terminal)
    .usage('COMMAND ...')
    .description('Your own keys, by which the managers know you.');
  return addGlobalOptions(command).addHelpText(
    'after',
    `
They are in ~/.config/service-mgr/client.key, or where key_dir in the section
[security] of the configuration says.`,
  );
}

export async function keys(argv: readonly string[], program: Program): Promise<number> {
  const { options, chosen } = readCommand(keysCommand(program), verbs, argv);
  if (chosen !== undefined) return runVerb(chosen, options, program);
  const names = verbs.map(({ name }) => name).join(', ');
  throw new ServiceManagerError('BAD_USAGE', `keys: expected ${names}; see service-mgr-client keys --help`);
}
