import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { isLoopbackEndpoint } from '../../config/exposure.ts';
import { nodeName } from '../../config/values.ts';
import type { SecretKeyFile } from '../../security/key-file.ts';
import { isServiceManagerError } from '../../wire/errors.ts';
import type { NodeName } from '../../wire/fields.ts';
import type { Choose, DaemonContext } from '../daemon-context.ts';
import type { AgentHome } from '../daemon-home.ts';
import { daemonExits } from '../exit-codes.ts';
import { formatOwnKeys, managerFields } from '../formats/own-keys.ts';
import { checked } from '../global-options.ts';
import { loadKeys, makeKeys } from '../own-keys.ts';
import { rotateKeys } from '../rotate-keys.ts';
import { addGroup, addLeaf } from '../subcommands.ts';
import { joinTimeoutMs } from './agent-join.ts';

type Context = DaemonContext<AgentHome>;

// Where no agent runs, nobody says so: it is only silent.
const lookTimeoutMs = 1_000;
const joinCommand = 'service-mgr-agentd join TOKEN --manager tcp://HOST';

export function addAgentKeys(program: CommandUnknownOpts, choose: Choose<AgentHome>): void {
  const keys = addGroup(program, 'keys', 'the keys of the agent');
  addLeaf(
    keys,
    'init',
    'make the keys of the agent, which join does as well; those it has are never overwritten',
  )
    .option(
      '--name <name>',
      'of the node (default: that of the configuration, else the host name)',
      checked(nodeName),
    )
    .action(({ name }) => choose((context) => initKeys(name, context)));
  addLeaf(
    keys,
    'show',
    'show the name of the node, its fingerprint, and the managers that it has joined',
  ).action(() => choose(showKeys));
  addLeaf(keys, 'rotate', 'make new keys, have all managers accept them, and use them from then on')
    .addHelpText(
      'after',
      `
A running agent goes over to them at once, and is known by both for an hour. If a
manager cannot be reached it ends with 69 and keeps the new keys: the same
command goes on from there.`,
    )
    .action(() => choose(rotate));
}

async function initKeys(name: NodeName | undefined, { home, output, deps }: Context): Promise<number> {
  const { folder } = home;
  const made = makeKeys(folder, 'agent', name ?? home.name, deps.clock.wallMs());
  output.data(formatOwnKeys(made, folder.keyFile));
  if (made.name !== home.name)
    output.message(`this node is called ${home.name}: say node_name = ${made.name} in the configuration`);
  output.message(`now join a manager: ${joinCommand}`);
  return daemonExits.ok;
}

async function showKeys({ home: { folder }, output }: Context): Promise<number> {
  const keys = loadKeys(folder, joinCommand);
  output.data(formatOwnKeys(keys, folder.keyFile, managerFields(folder.managers())));
  return daemonExits.ok;
}

async function rotate(context: Context): Promise<number> {
  const { home, output, deps } = context;
  // It knows whoever asks by its present keys.
  const pid = await runningPid(context);
  const command = { folder: home.folder, joinCommand, timeoutMs: joinTimeoutMs };
  const keys = await rotateKeys(command, { ...deps, output });
  if (keys === undefined) return daemonExits.tryLater;
  if (pid !== undefined) return tell(pid, keys, context);
  output.message('no agent answers on this host that could be told: one that runs has to be started again');
  return daemonExits.ok;
}

/** Of the agent with these keys, where it runs on this host. */
async function runningPid({ home, management }: Context): Promise<number | undefined> {
  // Without security anybody could name any process.
  if (home.ownKeys() === undefined || !isLoopbackEndpoint(management.endpoint)) return undefined;
  try {
    const { result } = await management.ask({ cmd: 'agent.status' }, lookTimeoutMs);
    const pid = result?.['pid'];
    return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'MANAGER_UNREACHABLE') throw error;
    return undefined;
  }
}

async function tell(
  pid: number,
  { curve }: SecretKeyFile,
  { management, output, deps }: Context,
): Promise<number> {
  deps.hangUp(pid);
  try {
    await management.withKeys(curve).ask({ cmd: 'agent.status' });
    output.message(`the running agent (pid ${pid}) uses them`);
    return daemonExits.ok;
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'MANAGER_UNREACHABLE') throw error;
    output.message(
      `the running agent (pid ${pid}) was told, and does not use them yet: see its log, or start it again`,
    );
    return daemonExits.unavailable;
  }
}
