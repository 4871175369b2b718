import { CommanderError } from 'commander';
import { type ClientDeps, ServiceManager } from '../client/index.ts';
import { type ClientConfig, defaultClientConfig, readClientConfig } from '../config/client.ts';
import type { Files } from '../platform/files.ts';
import type { Terminal } from '../platform/terminal.ts';
import { type ErrorCode, isServiceManagerError } from '../wire/errors.ts';
import { type ClientOptions, clientCommand, mergeOptions } from './client-options.ts';
import { type ExitCodeName, exitCodeNamed } from './exit-codes.ts';
import { Output } from './output.ts';
import { runRequest } from './run-request.ts';

export interface MainDeps {
  readonly terminal: Terminal;
  readonly files: Files;
  /** Aborted when the user presses Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** In place of the real sockets, clock and ids. */
  readonly client?: ClientDeps;
}

const exitOfError: Partial<Record<ErrorCode, ExitCodeName>> = {
  BAD_USAGE: 'bad-usage',
  INVALID_MESSAGE: 'bad-usage',
  ENDPOINT_UNUSABLE: 'bad-usage',
  MANAGER_UNREACHABLE: 'no-manager',
  INVALID_REPLY: 'no-manager',
  REFUSED: 'refused',
  BAD_CONFIG: 'bad-config',
};

/** service-mgr-client: resolves with its exit code when all that it printed has been handed over. */
export async function main(argv: readonly string[], deps: MainDeps): Promise<number> {
  const output = new Output(deps.terminal);
  try {
    return await run(argv, deps, output);
  } catch (error) {
    const code = exitCodeOfError(error, deps.interrupted);
    if (code === undefined) throw error;
    // Commander has said already what is wrong.
    if (isServiceManagerError(error)) output.message(`service-mgr-client: ${error.message}`);
    return code;
  } finally {
    await output.flush();
  }
}

async function run(argv: readonly string[], deps: MainDeps, output: Output): Promise<number> {
  const options = parse(argv, deps.terminal);
  const config = mergeOptions(options, readConfig(argv, options, deps.files));
  await using manager = new ServiceManager(config, deps.client);
  const { topic, cmd: action, service, format, actionTimeout: actionTimeoutMs, debug } = options;
  const { windowMs } = config;
  const command = { topic, action, service, format, windowMs, actionTimeoutMs, isDebug: debug === true };
  return await runRequest(manager, command, output, deps.interrupted);
}

function parse(argv: readonly string[], terminal: Terminal): ClientOptions {
  return clientCommand(terminal)
    .parse([...argv], { from: 'user' })
    .opts();
}

/** The default file may be missing; one that was named may not. */
function readConfig(argv: readonly string[], { config }: ClientOptions, files: Files): ClientConfig {
  const isNamed = argv.some((argument) => argument.startsWith('-f') || argument.startsWith('--config'));
  if (!isNamed && !files.exists(config)) return defaultClientConfig;
  return readClientConfig(files.readText(config), config);
}

function exitCodeOfError(error: unknown, interrupted: AbortSignal): number | undefined {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodeNamed('bad-usage');
  if (!isServiceManagerError(error)) return undefined;
  const name = interrupted.aborted ? 'interrupted' : exitOfError[error.code];
  return name === undefined ? undefined : exitCodeNamed(name);
}
