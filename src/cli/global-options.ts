import { type Command, Option, type OptionValues } from '@commander-js/extra-typings';
import { InvalidArgumentError } from 'commander';
import { type ClientConfig, clientKeys, defaultClientConfig, readClientConfig } from '../config/client.ts';
import type { Format } from '../config/key.ts';
import type { Files } from '../platform/files.ts';

/** What may stand before and behind a verb. What is missing was not given. */
export interface GlobalOptions {
  readonly endpoint?: readonly string[];
  readonly waitTime?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly config?: string;
  readonly debug?: true;
}

export const globalOptionNames: ReadonlySet<string> = new Set<keyof GlobalOptions>([
  'endpoint',
  'waitTime',
  'timeout',
  'retries',
  'config',
  'debug',
]);

const defaultConfigFile = '/etc/service-mgr/service-mgr-client.conf';
const group = 'Options of all commands:';

/** The same checks as in the configuration file; commander puts the option and the value in front. */
export function checked<Value>({
  parse,
  expected,
}: Pick<Format<Value>, 'parse' | 'expected'>): (text: string) => Value {
  return (text) => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
}

export function addGlobalOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .addOption(
      new Option(
        '-e, --endpoint <endpoints>',
        'frontend of the manager; several, separated by commas, are tried in order',
      )
        .argParser(checked(clientKeys.endpoint))
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '-w, --wait-time <seconds>',
        `wait at most this long (default: ${clientKeys.waitTime.fallback}), in a rollout for each batch (default: 120)`,
      )
        .argParser(checked(clientKeys.waitTime))
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '-t, --timeout <milliseconds>',
        `wait this long for a manager's reply (default: ${clientKeys.timeout.fallback})`,
      )
        .argParser(checked(clientKeys.timeout))
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '-r, --retries <count>',
        `ask each manager up to this often (default: ${clientKeys.retries.fallback})`,
      )
        .argParser(checked(clientKeys.retries))
        .helpGroup(group),
    )
    .addOption(
      new Option('-f, --config <file>', `configuration file (default: ${defaultConfigFile})`).helpGroup(
        group,
      ),
    )
    .addOption(new Option('-D, --debug', 'say on standard error what is going on').helpGroup(group))
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup(group));
}

/** What holds for one run of the client. */
export interface ClientSettings extends ClientConfig {
  /** The configuration file, for messages. */
  readonly file: string;
  /** The endpoints stood on the command line. */
  readonly areEndpointsTyped: boolean;
}

/** What stands on the command line goes before what stands in the file. The default file may be missing; a named one may not. */
export function configOf(options: GlobalOptions, files: Files): ClientSettings {
  const file = options.config ?? defaultConfigFile;
  const isMissing = options.config === undefined && !files.exists(file);
  const config = isMissing ? defaultClientConfig : readClientConfig(files.readText(file), file);
  return {
    file,
    areEndpointsTyped: options.endpoint !== undefined,
    endpoints: options.endpoint ?? config.endpoints,
    windowMs: options.waitTime ?? config.windowMs,
    timeoutMs: options.timeout ?? config.timeoutMs,
    retries: options.retries ?? config.retries,
    confirmAbove: config.confirmAbove,
    security: config.security,
  };
}
