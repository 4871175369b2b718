import { type Command, Option, type OptionValues } from '@commander-js/extra-typings';
import { duration } from '../config/values.ts';
import type { Terminal } from '../platform/terminal.ts';
import { ActionName, ServiceName, Topic } from '../wire/fields.ts';
import { version } from '../wire/version.ts';
import { exitCodes } from './exit-codes.ts';
import { addGlobalOptions, checked } from './global-options.ts';
import { formats } from './print.ts';
import { newCommand } from './verbs.ts';

const dayMs = 86_400_000;

/** The command line of service-mgr-client without a verb. Its values override the config file's. */
export function clientCommand(terminal: Terminal) {
  const command = newCommand('service-mgr-client', terminal)
    .description('Start, stop and check services on many hosts, and get the answer of every host.')
    .usage('[options] -T TOPIC -c CMD -s SERVICE\n       service-mgr-client [options] COMMAND ...')
    .option(
      '-T, --topic <topic>',
      'whom it is for: any, a system (Linux), a node name, role:NAME, os:ID, arch:NAME, ...',
      checked(fieldFormat(Topic)),
    )
    .option(
      '-c, --cmd <cmd>',
      'what to do: start, stop, restart, reload, status, ...',
      checked(fieldFormat(ActionName)),
    )
    .option('-s, --service <service>', 'the service to do it to', checked(fieldFormat(ServiceName)))
    .version(version, '-v, --version', 'show the version');
  return addGlobalOptions(addSendingOptions(command)).addHelpText('after', clientHelp);
}

export type ClientOptions = ReturnType<ReturnType<typeof clientCommand>['opts']>;

/** The options of whatever sends a request. */
export function addSendingOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option(
      '-a, --action-timeout <seconds>',
      'end the action on a node after this time',
      checked(duration(1, dayMs)),
    )
    .addOption(formatOption().default('json' as const))
    .option('--async', 'print only the id of the request and do not wait for answers');
}

export function formatOption() {
  return new Option('--format <format>', 'how to print the answers').choices(formats);
}

/** What the message takes is what the command line takes; without its compiled checker, which would take time to make. */
export function fieldFormat({ description = 'another value', pattern }: FieldSchema) {
  const isGood = new RegExp(String(pattern));
  return { expected: description, parse: (text: string) => (isGood.test(text) ? text : undefined) };
}

interface FieldSchema {
  readonly description?: string;
  readonly pattern?: unknown;
}

function clientHelp(): string {
  const codes = exitCodes.map(({ code, meaning }) => `  ${String(code).padEnd(5)}${meaning}`);
  return `
Examples:
  service-mgr-client -T role:web -c restart -s nginx
  service-mgr-client -T any -c status -s cron --format groups -w 10
  service-mgr-client nodes
  service-mgr-client requests show last

Every command has a help of its own: service-mgr-client COMMAND --help

Exit codes:
${codes.join('\n')}`;
}
