import { Command, Option } from '@commander-js/extra-typings';
import { InvalidArgumentError } from 'commander';
import type { ClientConfig } from '../config/client.ts';
import type { Terminal } from '../platform/terminal.ts';
import { version } from '../wire/version.ts';
import { exitCodes } from './exit-codes.ts';
import { printOn } from './output.ts';
import { formats } from './print.ts';

/** The command line of service-mgr-client. Its values override the config file's. */
export function clientCommand(terminal: Terminal) {
  return new Command('service-mgr-client')
    .exitOverride()
    .configureOutput(printOn(terminal))
    .description('Start, stop and check services on many hosts, and get the answer of every host.')
    .usage('[options] -T TOPIC -c CMD -s SERVICE')
    .requiredOption(
      '-T, --topic <topic>',
      'whom it is for: any, a system (Linux), a node name, role:NAME, os:ID, arch:NAME, ...',
    )
    .requiredOption('-c, --cmd <cmd>', 'what to do: start, stop, restart, reload, status, ...')
    .requiredOption('-s, --service <service>', 'the service to do it to')
    .option(
      '-e, --endpoint <endpoints>',
      'frontend of the manager; several, separated by commas, are tried in order',
    )
    .option('-w, --wait-time <seconds>', 'wait at most this long for answers', milliseconds)
    .option('-t, --timeout <milliseconds>', 'wait this long for the reply of a manager', positiveInteger)
    .option('-r, --retries <count>', 'ask each manager up to this often', count)
    .option('-a, --action-timeout <seconds>', 'end the action on a node after this time', milliseconds)
    .addOption(
      new Option('--format <format>', 'how to print the answers').choices(formats).default('json' as const),
    )
    .option('-f, --config <file>', 'configuration file', '/etc/service-mgr/service-mgr-client.conf')
    .option('-D, --debug', 'say on standard error what is going on')
    .version(version, '-v, --version')
    .helpOption('-h, --help', 'show this help')
    .addHelpText(
      'after',
      () =>
        `\nExit codes:\n${exitCodes.map(({ code, meaning }) => `  ${String(code).padEnd(5)}${meaning}`).join('\n')}`,
    );
}

export type ClientOptions = ReturnType<ReturnType<typeof clientCommand>['opts']>;

/** What stands on the command line goes before what stands in the file. */
export function mergeOptions(options: ClientOptions, config: ClientConfig): ClientConfig {
  return {
    endpoints: options.endpoint?.split(',').map((endpoint) => endpoint.trim()) ?? config.endpoints,
    windowMs: options.waitTime ?? config.windowMs,
    timeoutMs: options.timeout ?? config.timeoutMs,
    retries: options.retries ?? config.retries,
  };
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('Expected a number greater than 0.');
  }
  return value;
}

function positiveInteger(text: string): number {
  const value = positiveNumber(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError('Expected a whole number greater than 0.');
  return value;
}

/** Seconds on the command line, whole milliseconds inside. */
function milliseconds(text: string): number {
  return Math.max(1, Math.round(positiveNumber(text) * 1_000));
}

function count(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 0 to 999.');
  return Number(text);
}
