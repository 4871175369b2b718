import type { Files } from '../platform/files.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import { HostPrograms, type HostProgramsOptions, limitsAfter, wasEnded } from './host-programs.ts';
import { linesOf, listLimitBytes, listResult } from './list.ts';
import { serviceNamesIn } from './names.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { stateOfSv } from './state.ts';

export interface RunitOptions extends HostProgramsOptions {
  readonly files: Files;
  /** sv(8): a name on PATH or an absolute path. */
  readonly program: string;
  /** The folder that runsvdir(8) looks after. */
  readonly serviceFolder: string;
}

const name = 'runit';

/** The commands of sv(8). It looks at the first letter of any other word only: `dance` would take a service down. */
const commands = new Set(
  'start stop restart try-restart reload force-reload status'
    .split(' ')
    .concat(
      'shutdown force-stop force-restart force-shutdown check'.split(' '),
      'up down once pause cont hup alarm interrupt quit term kill exit'.split(' '),
    ),
);

/** Runs `sv ACTION FOLDER/NAME`. */
export class Runit implements Provider {
  readonly #options: RunitOptions;
  readonly #programs: HostPrograms;

  constructor(options: RunitOptions) {
    this.#options = options;
    this.#programs = new HostPrograms(options);
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    if (action === 'list') return this.#list(limits);
    const folder = this.#folderOf(service);
    const exit = await this.#programs.act(...this.#commandLine(folder, action), limits);
    // A status of sv(8) has code 0 also for a service that is down, so that its words have to be read.
    const [said] = statesIn(exit.stdout.text.split('\n'), folder);
    const isSaid = !wasEnded(exit) && (action === 'status' || said?.state === 'not-found');
    return { ...exit, provider: name, state: isSaid ? (said?.state ?? 'unknown') : 'unknown' };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const { state, stdout } = await this.run(service, 'status' as ActionName, limits);
    const pid = state === 'running' ? /^run: [^;\n]*: \(pid (\d+)\)/.exec(stdout.text)?.[1] : undefined;
    return { state, mainPid: pid === undefined ? undefined : Number(pid) };
  }

  #commandLine(folder: string, action: ActionName): [program: string, args: string[]] {
    const { program, files } = this.#options;
    const isThere = files.exists(folder);
    // A service with this file in its folder is not started when its supervisor starts, see runsv(8).
    if (isThere && action === 'enable') return ['rm', ['-f', '--', `${folder}/down`]];
    if (isThere && action === 'disable') return ['touch', ['--', `${folder}/down`]];
    const command = action === 'condrestart' ? 'try-restart' : action;
    if (commands.has(command)) return [program, [command, folder]];
    if (!isThere) return [program, ['status', folder]];
    throw new ServiceManagerError('ACTION_NOT_ALLOWED', `runit knows no action "${action}"`);
  }

  async #list(limits: ReadLimits): Promise<ProviderResult> {
    const { program, serviceFolder } = this.#options;
    const names = await this.#programs.run('ls', ['-1', '--', serviceFolder], limits, listLimitBytes);
    const folders = serviceNamesIn(linesOf(names.stdout)).map((service) => this.#folderOf(service));
    if (folders.length === 0) return listResult(this.#programs, name, names, []);
    const left = limitsAfter(limits, names);
    const exit = await this.#programs.run(program, ['status', ...folders], left, listLimitBytes);
    const durationMs = names.durationMs + exit.durationMs;
    const services = statesIn(linesOf(exit.stdout), serviceFolder);
    return listResult(this.#programs, name, { ...exit, durationMs }, services);
  }

  #folderOf(service: ServiceName): string {
    return `${this.#options.serviceFolder}/${service}`;
  }
}

/** Of the folder, or of those in it. Behind a semicolon stands the log service of a service. */
function statesIn(lines: readonly string[], folder: string): { service: string; state: State }[] {
  return lines.flatMap((line) => {
    const at = line.indexOf(`: ${folder}`);
    const [path = '', rest = ''] = splitAtColon(line.slice(at + 2).split('; ')[0] ?? '');
    if (at < 0) return [];
    // Of an action it says first whether that went well: `ok: run: NAME`, `timeout: down: NAME`.
    const word = line.slice(0, at).split(': ').at(-1) ?? '';
    const isGone = word === 'fail' && rest === 'unable to change to service directory: file does not exist';
    return [{ service: path.split('/').at(-1) ?? '', state: isGone ? 'not-found' : stateOfSv(word, rest) }];
  });
}

function splitAtColon(text: string): [path: string, rest: string] {
  const at = text.indexOf(': ');
  return [text.slice(0, at), text.slice(at + 2)];
}
