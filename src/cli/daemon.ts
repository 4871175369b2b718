import { CommanderError } from 'commander';
import type { Launcher } from '../platform/daemonize.ts';
import type { Terminal } from '../platform/terminal.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { CommandDeps, DaemonContext } from './daemon-context.ts';
import type { DaemonHome, OpenHome } from './daemon-home.ts';
import { Management } from './daemon-management.ts';
import {
  type DaemonDescription,
  type DaemonOptions,
  type DaemonVerb,
  daemonCommand,
} from './daemon-options.ts';
import { daemonExitOf, daemonExits as exits } from './exit-codes.ts';
import { Output } from './output.ts';
import { type ConfigSource, type RunDeps, type Startable, serveUntilStopped } from './serve-until-stopped.ts';

export interface DaemonProgram<Home extends DaemonHome> extends DaemonDescription<Home>, Startable {
  readonly openHome: OpenHome<Home>;
}

export interface DaemonDeps extends RunDeps, CommandDeps {
  readonly terminal: Terminal;
  readonly launcher: Launcher;
  /** Makes a path of the command line good for a program that works in another folder. */
  absolutePath(path: string): string;
}

/** Runs service-mgrd or service-mgr-agentd and resolves with its exit code. */
export async function runDaemon<Home extends DaemonHome>(
  argv: readonly string[],
  program: DaemonProgram<Home>,
  deps: DaemonDeps,
): Promise<number> {
  const output = new Output(deps.terminal);
  try {
    const { options, verb } = parse(argv, program, deps.terminal);
    if (verb !== 'start') return await runCommand(options, verb, program, output, deps);
    if (options.isDetached) return await launch(options, program, output, deps);
    await serveUntilStopped(options, program, deps);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exits.usage;
    if (!isServiceManagerError(error)) throw error;
    const isTold = await deps.starter.failed(error.message);
    if (!isTold) output.message(`${program.name}: ${error.message}`);
    return daemonExitOf(error);
  } finally {
    await output.flush();
  }
}

interface Parsed<Home extends DaemonHome> {
  readonly options: DaemonOptions;
  readonly verb: DaemonVerb<Home>;
}

function parse<Home extends DaemonHome>(
  argv: readonly string[],
  program: DaemonProgram<Home>,
  terminal: Terminal,
): Parsed<Home> {
  let parsed: Parsed<Home> | undefined;
  const command = daemonCommand(program, terminal, (options, verb) => {
    parsed = { options, verb };
  });
  command.parse([...argv], { from: 'user' });
  if (parsed === undefined) throw new ServiceManagerError('BAD_USAGE', 'expected start, stop or status');
  return parsed;
}

/** The same program again, in the foreground of a session of its own. */
async function launch(
  { configFile, logFile = '', pidFile = '', isDebug }: DaemonOptions,
  { name }: Pick<DaemonProgram<never>, 'name'>,
  output: Output,
  { launcher, absolutePath }: DaemonDeps,
): Promise<number> {
  const log = absolutePath(logFile);
  const files = ['-f', absolutePath(configFile), '-o', log, '-p', absolutePath(pidFile)];
  const launched = await launcher.launch([...files, ...(isDebug ? ['-D'] : []), 'start'], log);
  if (launched.isReady) return 0;
  output.message(`${name}: ${launched.reason}`);
  return launched.exitCode;
}

async function runCommand<Home extends DaemonHome>(
  options: DaemonOptions,
  verb: Exclude<DaemonVerb<Home>, 'start'>,
  program: DaemonProgram<Home>,
  output: Output,
  deps: DaemonDeps,
): Promise<number> {
  const isPlain = verb === 'stop' || verb === 'status';
  const home = program.openHome(sourceOf(options, isPlain, deps));
  const { endpoint = home.managementEndpoint } = options;
  const management = new Management({ ...deps, endpoint, ownKeys: () => home.ownKeys() });
  const context = { program: program.name, home, management, output, deps };
  if (!isPlain) return verb(context);
  return show(verb === 'stop' ? program.shutdownCommand : program.statusCommand, context);
}

/** Undefined where there is no file: a daemon can be stopped whose file is gone, but a file that was named is meant. */
function sourceOf(
  { configFile: file, isConfigNamed }: DaemonOptions,
  mayBeMissing: boolean,
  { files }: DaemonDeps,
): ConfigSource | undefined {
  const isNeeded = isConfigNamed && !mayBeMissing;
  return isNeeded || files.exists(file) ? { text: files.readText(file), file } : undefined;
}

async function show(
  cmd: string,
  { management, output }: Pick<DaemonContext<DaemonHome>, 'management' | 'output'>,
): Promise<number> {
  output.data(`${JSON.stringify(await management.ask({ cmd }), null, 4)}\n`);
  return 0;
}
