import { CommanderError } from 'commander';
import { type ErrorCode, isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import { onlyGiven } from './aim-options.ts';
import { type ClientOptions, clientCommand, commandOf, type Task } from './client-options.ts';
import { type ExitCodeName, exitCodeNamed } from './exit-codes.ts';
import { isStandardInput, readNodeFile } from './node-file.ts';
import { Output } from './output.ts';
import type { MainDeps, Program, Verb } from './program.ts';
import { runRequest } from './run-request.ts';
import { type Session, withSession } from './session.ts';
import { completion } from './verbs/completion.ts';
import { joinVerb } from './verbs/join.ts';
import { keys } from './verbs/keys.ts';
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
    summary: 'list, show, attach to, cancel, retry or resume earlier requests',
    run: requests,
  },
  {
    name: 'join',
    usage: '[TOKEN]',
    summary: 'have your key let in by a manager',
    run: joinVerb,
  },
  {
    name: 'keys',
    usage: 'COMMAND',
    summary: 'make, show or rotate your keys',
    run: keys,
  },
  {
    name: 'completion',
    usage: 'SHELL',
    summary: 'print a completion script for bash or zsh',
    run: (argv, program) => completion(argv, program, run),
  },
];

// Whatever else a manager says is its refusal.
const exitOfError: Partial<Record<ErrorCode, ExitCodeName>> = {
  BAD_USAGE: 'bad-usage',
  INVALID_MESSAGE: 'bad-usage',
  ENDPOINT_UNUSABLE: 'bad-usage',
  MANAGER_UNREACHABLE: 'no-manager',
  INVALID_REPLY: 'no-manager',
  BAD_TARGET: 'bad-usage',
  PLAN_CHANGED: 'plan-changed',
  EXPECTATION_FAILED: 'plan-changed',
  UNKNOWN_NODE: 'no-node',
  NO_NODE: 'no-node',
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

/** As `main`, but throws what `main` turns into messages and exit codes. */
export async function run(argv: readonly string[], program: Program): Promise<number> {
  // As in many programs: `help nodes` for `nodes --help`.
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const { options, chosen } = readCommand(clientCommand(program.deps.terminal), verbs, words);
  if (chosen !== undefined) return runVerb(chosen, options, program);
  const task = taskOf(options);
  const { nodes: file } = options;
  return withSession(program, options, 'always', async (session) => {
    const nodes = file === undefined ? undefined : await nodesIn(file, program, session);
    return runRequest(commandOf(options, { ...task, ...onlyGiven({ nodes }) }), session);
  });
}

/** Who types the list, or makes it, takes the time that it takes. */
function nodesIn(file: string, { deps }: Program, { window }: Session): Promise<NodeName[]> {
  const read = () => readNodeFile(file, deps);
  return isStandardInput(file) ? window.pause(read) : read();
}

/** Nodes that are named by a file stand in for a topic. */
function taskOf({ topic: target, nodes, cmd: action, service: named }: ClientOptions): Task {
  if (target !== undefined && nodes !== undefined)
    throw new ServiceManagerError('BAD_USAGE', 'options -T and --nodes stand together, expected one of them');
  const topic = target ?? (nodes === undefined ? undefined : 'any');
  // A list is of all services, but the wire knows no action without one.
  const service = named ?? (action === 'list' ? 'all' : undefined);
  if (topic !== undefined && action !== undefined && service !== undefined) return { topic, action, service };
  const missing = Object.entries({ '-T TARGET': topic, '-c CMD': action, '-s SERVICE': service })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  throw new ServiceManagerError(
    'BAD_USAGE',
    `${missing.join(', ')} missing, expected -T TARGET -c CMD -s SERVICE or a command; see service-mgr-client --help`,
  );
}
