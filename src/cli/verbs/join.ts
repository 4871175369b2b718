import { nodeName } from '../../config/values.ts';
import { clientKeyFolder } from '../client-identity.ts';
import { exitCodeNamed } from '../exit-codes.ts';
import { givenToken } from '../given-token.ts';
import { addGlobalOptions, type ClientSettings, checked, configOf } from '../global-options.ts';
import { type JoinCommand, joinManager } from '../join-manager.ts';
import { joinPort, managerKeyOption, managerOption, waitOption } from '../join-options.ts';
import type { Program } from '../program.ts';
import { newCommand } from '../verbs.ts';

function joinCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client join', deps.terminal)
    .description('Have your key let in by a manager, and keep what it takes to reach it.')
    .argument('[token]', 'a join token, as "service-mgrd token create" prints it; -: from standard input')
    .addOption(managerOption('; default: the host of the endpoint that is configured, else localhost'))
    .addOption(managerKeyOption())
    .option(
      '--name <name>',
      'by which you are known there (default: that of the token, else your login name)',
      checked(nodeName),
    )
    .addOption(waitOption());
  return addGlobalOptions(command).addHelpText(
    'after',
    `
Makes your keys if you have none yet: those of an operator, or of a monitor if the
token says so. Without a token somebody at the manager has to accept the key
("service-mgrd keys accept"); until then it ends with 75. From then on the client
asks the managers that were joined, signs what it asks, and believes nobody else.
Joining a manager again takes over what has changed there.

Examples:
  service-mgr-client join smj1-... --manager tcp://mgr1
  service-mgrd token create --role operator | service-mgr-client join -
  service-mgr-client join --manager tcp://mgr1 --manager-key KEY --wait 10m`,
  );
}

export async function joinVerb(argv: readonly string[], program: Program): Promise<number> {
  const command = joinCommand(program).parse([...argv], { from: 'user' });
  const [typed] = command.processedArgs;
  const { manager, managerKey, name, wait: waitMs = 0, ...options } = command.opts();
  const { deps, output } = program;
  const token = await givenToken(typed, deps.terminal, deps.interrupted);
  const settings = configOf({ ...program.given, ...options }, deps.files);
  const order: JoinCommand = {
    joiner: {
      folder: clientKeyFolder(settings, deps),
      roles: ['operator', 'monitor'],
      named: name === undefined ? undefined : { says: '--name says', name },
      usualName: deps.userName,
    },
    ...{ token, managerKey, waitMs },
    endpoint: manager ?? usualManager(settings),
    timeoutMs: joinTimeoutOf(settings),
  };
  const { interrupted } = deps;
  const state = await joinManager(order, { ...deps.openClient(), output, interrupted });
  if (state === 'accepted') output.message('try: service-mgr-client nodes');
  else return exitCodeNamed(interrupted.aborted ? 'interrupted' : 'pending');
  return 0;
}

/** As long as all tries of a question take. */
export function joinTimeoutOf({ timeoutMs, retries }: Pick<ClientSettings, 'timeoutMs' | 'retries'>): number {
  return timeoutMs * Math.max(1, retries);
}

function usualManager({ endpoints = [] }: Pick<ClientSettings, 'endpoints'>): string {
  const [frontend = ''] = endpoints;
  const host = frontend.startsWith('tcp:') ? frontend.slice(0, frontend.lastIndexOf(':')) : 'tcp://localhost';
  return `${host}:${joinPort}`;
}
