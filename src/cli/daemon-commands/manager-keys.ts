import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { nodeName } from '../../config/values.ts';
import type { SecretKeyFile } from '../../security/key-file.ts';
import { printCurvePublic } from '../../security/keys.ts';
import type { ManagerKeyFiles } from '../../store/manager-key-files.ts';
import type { NodeName } from '../../wire/fields.ts';
import type { Choose, DaemonContext } from '../daemon-context.ts';
import type { ManagerHome } from '../daemon-home.ts';
import { formatOwnKeys } from '../formats/own-keys.ts';
import { checked } from '../global-options.ts';
import { type KeyPlace, loadKeys, makeKeys } from '../own-keys.ts';
import { addGroup, addLeaf } from '../subcommands.ts';
import { addKeyDecisions } from './key-decisions.ts';

/** The manager's own keys, and those that it knows. */
export function addManagerKeys(program: CommandUnknownOpts, choose: Choose<ManagerHome>): void {
  const keys = addGroup(
    program,
    'keys',
    'the keys of the manager, and those of agents and people that it knows',
  );
  addLeaf(keys, 'init', 'make the keys of the manager; what it has already is never overwritten')
    .option(
      '--name <name>',
      'what the manager calls itself (default: that of the configuration, else the host name)',
      checked(nodeName),
    )
    .action(({ name }) => choose((context) => initKeys(name, context)));
  addLeaf(keys, 'show', 'show the name of the manager, its fingerprint and its public key')
    .addHelpText('after', '\nThe public key is what "join --manager-key" takes where there is no token.')
    .action(() => choose(showKeys));
  addKeyDecisions(keys, choose);
}

async function initKeys(name: NodeName | undefined, context: DaemonContext<ManagerHome>): Promise<number> {
  const { home, output, deps, program } = context;
  const made = makeKeys(placeOf(home.keys), 'manager', name ?? home.name, deps.clock.wallMs());
  output.data(formatted(made, home));
  output.message(
    `now start ${program}, or start it again if it runs; then "${program} token create --role agent" lets agents in`,
  );
  return 0;
}

async function showKeys({ home, output, program }: DaemonContext<ManagerHome>): Promise<number> {
  output.data(formatted(loadKeys(placeOf(home.keys), `${program} keys init`), home));
  return 0;
}

function formatted(keys: SecretKeyFile, { keys: { keyFile } }: ManagerHome): string {
  return formatOwnKeys(keys, keyFile, [['public key', printCurvePublic(keys.curve.publicKey)]]);
}

function placeOf(files: ManagerKeyFiles): KeyPlace {
  return {
    keyFile: files.keyFile,
    load: () => (files.hasKeys ? files.loadCurrent() : undefined),
    create: (keys) => files.create(keys),
  };
}
