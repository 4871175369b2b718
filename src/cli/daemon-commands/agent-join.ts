import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CurvePublic } from '../../security/keys.ts';
import { ServiceManagerError } from '../../wire/errors.ts';
import type { Choose, DaemonContext } from '../daemon-context.ts';
import type { AgentHome } from '../daemon-home.ts';
import { daemonExits } from '../exit-codes.ts';
import { givenToken } from '../given-token.ts';
import { joinManager } from '../join-manager.ts';
import { managerKeyOption, managerOption, waitOption } from '../join-options.ts';
import type { Output } from '../output.ts';
import { addLeaf } from '../subcommands.ts';

interface JoinOptions {
  readonly manager: string;
  readonly managerKey?: CurvePublic | undefined;
  readonly wait?: number | undefined;
  readonly start?: boolean | undefined;
}

export const joinTimeoutMs = 5_000;

export function addJoin(program: CommandUnknownOpts, choose: Choose<AgentHome>): void {
  addLeaf(program, 'join', 'have this agent let in by a manager, and keep what it takes to reach it')
    .usage('[token] --manager <endpoint> [options]')
    .argument(
      '[token]',
      'a join token, as "service-mgrd token create --role agent" prints it; -: from standard input',
    )
    .addOption(managerOption('').makeOptionMandatory())
    .addOption(managerKeyOption())
    .addOption(waitOption())
    .option('--start', 'then have the service manager of this host start the agent, again if it runs')
    .addHelpText(
      'after',
      `
Makes the keys of the agent if it has none yet. Without a token somebody at the
manager has to accept them ("service-mgrd keys accept"); until then it ends with
75. Joining a manager again takes over what has changed there.

Examples:
  service-mgr-agentd join smj1-... --manager tcp://mgr1 --start
  service-mgr-agentd join --manager tcp://mgr1 --manager-key KEY --wait 10m`,
    )
    .action((token, options) => choose((context) => join(token, options, context)));
}

async function join(
  typed: string | undefined,
  { manager: endpoint, managerKey, wait: waitMs = 0, start = false }: JoinOptions,
  { home, output, deps }: DaemonContext<AgentHome>,
): Promise<number> {
  const { folder, name } = home;
  const token = await givenToken(typed, deps.terminal);
  const named = { says: 'this node is called', name };
  const joiner = { folder, roles: ['agent'], named, usualName: name } as const;
  const command = { joiner, token, endpoint, managerKey, waitMs, timeoutMs: joinTimeoutMs };
  if ((await joinManager(command, { ...deps, output })) === 'pending') return daemonExits.tryLater;
  if (start) await restart(home, output);
  else output.message('now start the agent, or start it again if it runs');
  return daemonExits.ok;
}

async function restart(home: AgentHome, output: Output): Promise<void> {
  const { exitCode, timedOut, provider, stdout, stderr } = await home.restart();
  const said = `${stdout.text}${stderr.text}`.trimEnd();
  if (exitCode !== 0) {
    const how = timedOut ? 'has not started the agent in time' : `did not start the agent (${exitCode})`;
    throw new ServiceManagerError('PROVIDER_FAILED', `${provider} ${how}: ${said}`);
  }
  output.message(`started the agent, by ${provider}`);
}
