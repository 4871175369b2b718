import { CommanderError } from 'commander';
import { Connections } from '../client/connections.ts';
import { askManagement } from '../client/management.ts';
import type { Launcher } from '../platform/daemonize.ts';
import type { Sockets } from '../platform/sockets.ts';
import type { Terminal } from '../platform/terminal.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { type DaemonDescription, type DaemonOptions, daemonCommand } from './daemon-options.ts';
import { daemonExits as exits } from './exit-codes.ts';
import { Output } from './output.ts';
import { type RunDeps, type Startable, serveUntilStopped } from './serve-until-stopped.ts';

export interface DaemonProgram extends DaemonDescription, Startable {}

export interface DaemonDeps extends RunDeps {
  readonly terminal: Terminal;
  readonly sockets: Sockets;
  readonly launcher: Launcher;
  /** Makes a path of the command line good for a program that works in another folder. */
  absolutePath(path: string): string;
}

const managementTimeoutMs = 5_000;

/** Runs service-mgrd or service-mgr-agentd and resolves with its exit code. */
export async function runDaemon(
  argv: readonly string[],
  program: DaemonProgram,
  deps: DaemonDeps,
): Promise<number> {
  const output = new Output(deps.terminal);
  try {
    const options = parse(argv, program, deps.terminal);
    if (options.verb !== 'start') return await manage(options, program, output, deps);
    if (options.isDetached) return await launch(options, program, output, deps);
    await serveUntilStopped(options, program, deps);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exits.usage;
    if (!isServiceManagerError(error)) throw error;
    const isTold = await deps.starter.failed(error.message);
    if (!isTold) output.message(`${program.name}: ${error.message}`);
    return exitCodeOfError(error);
  } finally {
    await output.flush();
  }
}

function parse(argv: readonly string[], program: DaemonProgram, terminal: Terminal): DaemonOptions {
  let options: DaemonOptions | undefined;
  const command = daemonCommand(program, terminal, (parsed) => {
    options = parsed;
  });
  command.parse([...argv], { from: 'user' });
  if (options === undefined) throw new ServiceManagerError('BAD_USAGE', 'expected start, stop or status');
  return options;
}

/** The same program again, in the foreground of a session of its own. */
async function launch(
  { configFile, logFile = '', pidFile = '', isDebug }: DaemonOptions,
  { name }: DaemonProgram,
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

async function manage(
  options: DaemonOptions,
  program: DaemonProgram,
  output: Output,
  deps: DaemonDeps,
): Promise<number> {
  const command = options.verb === 'stop' ? program.shutdownCommand : program.statusCommand;
  await using connections = new Connections(deps.sockets, deps.clock);
  const reply = await askManagement(options.endpoint, { cmd: command }, managementTimeoutMs, connections);
  output.data(`${JSON.stringify(reply, null, 4)}\n`);
  return 0;
}

function exitCodeOfError({ code }: ServiceManagerError): number {
  if (code === 'BAD_CONFIG' || code === 'BAD_KEY') return exits.badConfig;
  if (code === 'BAD_USAGE') return exits.usage;
  if (code === 'STORE_UNUSABLE') return exits.ioError;
  if (code === 'ALREADY_RUNNING') return exits.tryLater;
  return code === 'ENDPOINT_UNUSABLE' ? exits.systemError : exits.unavailable;
}
