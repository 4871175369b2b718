import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { connectEndpoint } from '../config/values.ts';
import type { Terminal } from '../platform/terminal.ts';
import { version } from '../wire/version.ts';
import type { Choose, DaemonAction } from './daemon-context.ts';
import type { DaemonHome } from './daemon-home.ts';
import { daemonExitMeanings, daemonExits } from './exit-codes.ts';
import { checked } from './global-options.ts';
import { printOn } from './output.ts';
import type { ServeOptions } from './serve-until-stopped.ts';
import { addLeaf, optionsAbove, tryHelp } from './subcommands.ts';

export interface DaemonDescription<Home extends DaemonHome> {
  /** Of the program and, with `.conf`, of its configuration file. */
  readonly name: string;
  readonly summary: string;
  /** Management commands, such as `manager.status`. */
  readonly statusCommand: string;
  readonly shutdownCommand: string;
  /** Adds the commands that it has beside start, stop and status. */
  addCommands(program: CommandUnknownOpts, choose: Choose<Home>): void;
}

export interface DaemonOptions extends ServeOptions {
  /** It was named on the command line, so it has to be there. */
  readonly isConfigNamed: boolean;
  /** In the background, with a log and a pid file in any case. */
  readonly isDetached: boolean;
  /** Of the management socket to talk to; undefined: the one that the configuration names. */
  readonly endpoint: string | undefined;
}

/** What stands behind the options. */
export type DaemonVerb<Home extends DaemonHome> = 'start' | 'stop' | 'status' | DaemonAction<Home>;

/** The command line of both daemons. Calls `run` with what was asked for; throws commander's errors. */
export function daemonCommand<Home extends DaemonHome>(
  { name, summary, addCommands }: DaemonDescription<Home>,
  terminal: Terminal,
  run: (options: DaemonOptions, verb: DaemonVerb<Home>) => void,
) {
  const defaultLog = `/var/log/service-mgr/${name}.log`;
  const defaultPid = `/var/run/service-mgr/${name}.pid`;
  // How to print and exit comes first: subcommands take it over when they are made.
  const command = new Command(name)
    .exitOverride()
    .configureOutput(printOn(terminal))
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: optionsAbove })
    .description(summary)
    .option('-f, --config <file>', 'configuration file', `/etc/service-mgr/${name}.conf`)
    .option('-d, --daemon', 'start in the background, and return when the sockets are bound')
    .option(
      '-o, --log-file <file>',
      `append the log to this file (default: standard error; with -d ${defaultLog})`,
    )
    .option(
      '-p, --pid-file <file>',
      `write the process id to this file, and refuse a second instance (default: none; with -d ${defaultPid})`,
    )
    .option('-D, --debug', 'log everything')
    .option(
      '-e, --endpoint <endpoint>',
      'management endpoint of the daemon that a command is for (default: that of the configuration file)',
      checked(connectEndpoint),
    )
    .version(version, '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', exitCodeHelp());
  command.showHelpAfterError(tryHelp(command));
  const choose = (verb: DaemonVerb<Home>): void => {
    const { config: configFile, logFile, pidFile, debug, daemon, endpoint } = command.opts();
    const isConfigNamed = command.getOptionValueSource('config') === 'cli';
    const isDetached = daemon === true;
    const options = {
      ...{ configFile, isConfigNamed, endpoint, isDetached, isDebug: debug === true },
      logFile: logFile ?? (isDetached ? defaultLog : undefined),
      pidFile: pidFile ?? (isDetached ? defaultPid : undefined),
    };
    run(options, verb);
  };
  const verbs = {
    start: 'run until SIGTERM, SIGINT or stop; SIGHUP reopens the log and rereads the configuration',
    stop: 'ask the daemon at the management endpoint to stop, and return at once',
    status: 'show what the daemon at the management endpoint says of itself, as JSON',
  };
  for (const verb of ['start', 'stop', 'status'] as const)
    addLeaf(command, verb, verbs[verb]).action(() => choose(verb));
  addCommands(command, choose);
  return command;
}

function exitCodeHelp(): string {
  const names = Object.keys(daemonExits) as Array<keyof typeof daemonExits>;
  const codes = names.map((name) => `  ${String(daemonExits[name]).padEnd(4)}${daemonExitMeanings[name]}`);
  return `\nExit codes:\n${codes.join('\n')}`;
}
