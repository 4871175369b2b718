import { CommanderError } from 'commander';
import { Connections } from '../client/connections.ts';
import { askManagement } from '../client/management.ts';
import type { Clock } from '../platform/clock.ts';
import type { Files } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import type { Sockets } from '../platform/sockets.ts';
import type { Terminal } from '../platform/terminal.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { type DaemonDescription, type DaemonOptions, daemonCommand } from './daemon-options.ts';
import { Output } from './output.ts';

/** A manager or an agent that was started. */
export interface Daemon {
  /** Resolves when it was told to stop through its management socket; rejects when it cannot go on. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
}

/** A configuration file that was read. */
export interface ConfigSource {
  readonly text: string;
  readonly file: string;
}

export interface DaemonProgram extends DaemonDescription {
  /** Reads the configuration and starts. Rejects with BAD_CONFIG, STORE_UNUSABLE or ENDPOINT_UNUSABLE. */
  start(config: ConfigSource, log: Log): Promise<Daemon>;
}

export interface DaemonDeps {
  readonly terminal: Terminal;
  readonly files: Files;
  readonly clock: Clock;
  readonly sockets: Sockets;
  openLog(options: { name: string; file: string | undefined; debug: boolean }): Log;
  /** Resolves when the system asks the program to stop. */
  untilSignal(): Promise<string>;
}

// sysexits(3)
const exits = { usage: 64, unavailable: 69, systemError: 71, ioError: 74, badConfig: 78 };
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
    if (options.verb === 'start') return await start(options, program, deps);
    return await manage(options, program, output, deps);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exits.usage;
    if (!isServiceManagerError(error)) throw error;
    output.message(`${program.name}: ${error.message}`);
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

async function start(options: DaemonOptions, program: DaemonProgram, deps: DaemonDeps): Promise<number> {
  const { configFile, logFile, isDebug } = options;
  const text = deps.files.readText(configFile);
  const log = deps.openLog({ name: program.name, file: logFile, debug: isDebug });
  const signalled = deps.untilSignal();
  const daemon = await program.start({ text, file: configFile }, log);
  log.warn('security.none', {
    warning: 'there is no access control yet: anyone who reaches these ports may use them',
  });
  try {
    const signal = await Promise.race([signalled, daemon.finished]);
    log.info('daemon.stopping', { reason: signal ?? program.shutdownCommand });
  } finally {
    await daemon.close();
  }
  return 0;
}

async function manage(
  options: DaemonOptions,
  program: DaemonProgram,
  output: Output,
  deps: DaemonDeps,
): Promise<number> {
  const command = options.verb === 'stop' ? program.shutdownCommand : program.statusCommand;
  await using connections = new Connections(deps.sockets, deps.clock);
  const reply = await askManagement(options.endpoint, command, managementTimeoutMs, connections);
  output.data(`${JSON.stringify(reply, null, 4)}\n`);
  return 0;
}

function exitCodeOfError({ code }: ServiceManagerError): number {
  if (code === 'BAD_CONFIG' || code === 'BAD_KEY') return exits.badConfig;
  if (code === 'BAD_USAGE') return exits.usage;
  if (code === 'STORE_UNUSABLE') return exits.ioError;
  return code === 'ENDPOINT_UNUSABLE' ? exits.systemError : exits.unavailable;
}
