import { CommanderError } from 'commander';
import { type ErrorCode, isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { type ClientOptions, clientCommand } from './client-options.ts';
import { type ExitCodeName, exitCodeNamed } from './exit-codes.ts';
import { Output } from './output.ts';
import type { MainDeps, Program, Verb } from './program.ts';
import { runRequest } from './run-request.ts';
import { withSession } from './session.ts';
import { nodes } from './verbs/nodes.ts';
import { requests } from './verbs/requests.ts';
import { readCommand, runVerb } from './verbs.ts';

export type { MainDeps } from './program.ts';

const verbs: readonly Verb[] = [
  {
    name: 'nodes',
    usage: '[options]',
    summary: 'show the known nodes and whether they are there; nodes forget NAME',
    run: nodes,
  },
  {
    name: 'requests',
    usage: 'COMMAND',
    summary: 'list, show, attach to, cancel or retry earlier requests',
    run: requests,
  },
];

// Whatever else a manager says is its refusal.
const exitOfError: Partial<Record<ErrorCode, ExitCodeName>> = {
  BAD_USAGE: 'bad-usage',
  INVALID_MESSAGE: 'bad-usage',
  ENDPOINT_UNUSABLE: 'bad-usage',
  MANAGER_UNREACHABLE: 'no-manager',
  INVALID_REPLY: 'no-manager',
  UNKNOWN_NODE: 'no-node',
  UNKNOWN_REQUEST: 'no-node',
  BAD_CONFIG: 'bad-config',
  BAD_KEY: 'bad-config',
};

/** service-mgr-client: resolves with its exit code when all that it printed has been handed over. */
export async function main(argv: readonly string[], deps: MainDeps): Promise<number> {
  const output = new Output(deps.terminal);
  try {
    return await run(argv, { deps, output, given: {} });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodeNamed('bad-usage');
    if (!isServiceManagerError(error)) throw error;
    if (deps.interrupted.aborted) {
      output.message('service-mgr-client: interrupted before a manager answered');
      return exitCodeNamed('interrupted');
    }
    output.message(`service-mgr-client: ${error.message}`);
    return exitCodeNamed(exitOfError[error.code] ?? 'refused');
  } finally {
    await output.flush();
  }
}

async function run(argv: readonly string[], program: Program): Promise<number> {
  // As in many programs: `help nodes` for `nodes --help`.
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const { options, chosen } = readCommand(clientCommand(program.deps.terminal), verbs, words);
  if (chosen !== undefined) return runVerb(chosen, options, program);
  const { format, actionTimeout: actionTimeoutMs, async: isAsync = false } = options;
  const command = { order: orderOf(options), actionTimeoutMs, format, isAsync };
  return withSession(program, options, 'always', (session) => runRequest(command, session));
}

function orderOf({ topic, cmd: action, service }: ClientOptions) {
  if (topic !== undefined && action !== undefined && service !== undefined) return { topic, action, service };
  const missing = Object.entries({ '-T TOPIC': topic, '-c CMD': action, '-s SERVICE': service })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  throw new ServiceManagerError(
    'BAD_USAGE',
    `${missing.join(', ')} missing, expected -T TOPIC -c CMD -s SERVICE or a command; see service-mgr-client --help`,
  );
}
