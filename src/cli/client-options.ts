import { type Command, Option, type OptionValues } from '@commander-js/extra-typings';
import type { Order } from '../client/index.ts';
import { duration } from '../config/values.ts';
import type { Terminal } from '../platform/terminal.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { ActionName, ServiceName, Target } from '../wire/fields.ts';
import { HealthCheck, type Rollout } from '../wire/request.ts';
import { version } from '../wire/version.ts';
import { type AimOptions, addAimOptions, aimOf, onlyGiven } from './aim-options.ts';
import { exitCodes } from './exit-codes.ts';
import { fieldFormat } from './field-format.ts';
import { addGlobalOptions, checked } from './global-options.ts';
import { defaultFormat, type Format, formats } from './print.ts';
import { addRolloutOptions, type RolloutOptions, rolloutOf } from './rollout-options.ts';
import type { RequestCommand } from './run-request.ts';
import { newCommand } from './verbs.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** The command line of service-mgr-client without a verb. Its values override the config file's. */
export function clientCommand(terminal: Terminal) {
  const command = newCommand('service-mgr-client', terminal)
    .description('Start, stop and check services on many hosts, and get the answer of every host.')
    .usage('[options] -T TARGET -c CMD -s SERVICE\n       service-mgr-client [options] COMMAND ...')
    .option(
      '-T, --topic <target>',
      'whom it is for: any, a system (Linux), a node name, role:NAME, os:ID, ..., names as web[01-40] or web*, and all that with and, or, not',
      checked(fieldFormat(Target)),
    )
    .option(
      '--nodes <file>',
      'for the nodes in this file (- is standard input) instead of -T: names, or what nodes --format json prints',
    )
    .option(
      '-c, --cmd <cmd>',
      'what to do: start, stop, restart, reload, status, ...',
      checked(fieldFormat(ActionName)),
    )
    .option(
      '-s, --service <service>',
      'the service to do it to; not needed with -c list',
      checked(fieldFormat(ServiceName)),
    )
    .version(version, '-v, --version', 'show the version');
  return addGlobalOptions(addSendingOptions(command)).addHelpText('after', clientHelp);
}

export type ClientOptions = ReturnType<ReturnType<typeof clientCommand>['opts']>;

/** The options of whatever sends a request. */
export function addSendingOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
): Command<Args, Options & SendingOptions> {
  command
    .option(
      '-a, --action-timeout <seconds>',
      'end the action on a node after this time',
      checked(duration(1, dayMs)),
    )
    .option(
      '--settle <seconds>',
      'the service must stay so long what the action made it; 0: do not look',
      checked(duration(0, hourMs)),
    )
    .option(
      '--health <check>',
      'a check on the node that must go well after the action: tcp:PORT, http:PORT/PATH or exec:NAME',
      checked(healthFormat),
    )
    .addOption(
      new Option('--format <format>', `how to print the answers (default: ${defaultFormat})`).choices(
        formats,
      ),
    )
    .option('--follow', 'show what the action prints, line by line as it comes, behind the name of the node')
    .option('--async', 'print only the id of the request and do not wait for answers');
  return addRolloutOptions(addAimOptions(command)) as Command<Args, Options & SendingOptions>;
}

/** What was given of these options; times in milliseconds. */
export type SendingOptions = AimOptions &
  RolloutOptions & {
    readonly actionTimeout?: number | undefined;
    readonly settle?: number | undefined;
    readonly health?: string | undefined;
    readonly format?: Format | undefined;
    readonly follow?: true | undefined;
    readonly async?: true | undefined;
  };

/** Whom it is for, and what is to be done there. */
export type Task = Pick<Order, 'topic' | 'nodes' | 'action' | 'service'>;

/** How a request that is sent again was sent before. */
export type Earlier = Pick<Order, 'rollout' | 'settleMs' | 'health' | 'actionTimeoutMs'>;

/** What the options and the task ask for, on top of what was asked for before. Throws BAD_USAGE for what makes no sense. */
export function commandOf(options: SendingOptions, task: Task, earlier: Earlier = {}): RequestCommand {
  const { actionTimeout: actionTimeoutMs, settle: settleMs, health, follow, format } = options;
  if (follow === true && options.async === true)
    throw new ServiceManagerError(
      'BAD_USAGE',
      'options --follow and --async stand together, expected one of them',
    );
  const rollout: Rollout | undefined = rolloutOf(options, earlier.rollout);
  const more = onlyGiven({ actionTimeoutMs, settleMs, health, follow, rollout });
  return {
    order: { ...task, ...earlier, ...more, ...aimOf(options, rollout?.order === 'random') },
    format,
    isAsync: options.async === true,
    isDryRun: options.dryRun === true,
    isConfirmed: options.yes === true,
  };
}

const highestPort = 65_535;

const healthFormat = {
  expected: 'tcp:PORT, http:PORT/PATH or exec:NAME',
  parse(text: string): string | undefined {
    const [, port = '1'] = /^(?:tcp|http):(\d+)/.exec(text) ?? [];
    const isPort = Number(port) >= 1 && Number(port) <= highestPort;
    return isPort ? fieldFormat(HealthCheck).parse(text) : undefined;
  },
};

export function formatOption() {
  return new Option('--format <format>', 'how to print the answers').choices(formats);
}

function clientHelp(): string {
  const codes = exitCodes.map(({ code, meaning }) => `  ${String(code).padEnd(5)}${meaning}`);
  return `
Examples:
  service-mgr-client -T role:web -c restart -s nginx
  service-mgr-client -T 'role:web and not web3' -c restart -s nginx --dry-run
  service-mgr-client -T 'web[01-40]' -c restart -s nginx --canary 1 --batch 25%
  service-mgr-client -T any -c status -s cron --format groups -w 10
  service-mgr-client nodes
  service-mgr-client requests show last

Every command has a help of its own: service-mgr-client COMMAND --help

Exit codes:
${codes.join('\n')}`;
}
