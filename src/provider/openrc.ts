import type { Files } from '../platform/files.ts';
import type { ProcessExit } from '../platform/processes.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import { HostPrograms, type HostProgramsOptions, limitsAfter, wasEnded } from './host-programs.ts';
import { linesOf, listLimitBytes, listResult } from './list.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { openRcWords, stateOfCode } from './state.ts';

export interface OpenRcOptions extends HostProgramsOptions {
  readonly files: Files;
  /** rc-service(8): a name on PATH or an absolute path. */
  readonly program: string;
  /** rc-update(8). */
  readonly updateProgram?: string;
  /** rc-status(8). */
  readonly statusProgram?: string;
}

const name = 'openrc';
/** Where OpenRC keeps what it knows of a service that it started. */
const optionsFolder = '/run/openrc/options';

/** Runs `rc-service NAME ACTION`. */
export class OpenRc implements Provider {
  readonly #options: OpenRcOptions;
  readonly #programs: HostPrograms;

  constructor(options: OpenRcOptions) {
    this.#options = options;
    this.#programs = new HostPrograms(options);
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    if (action === 'list') return this.#list(limits);
    const exit = await this.#programs.act(...this.#commandLine(service, action), limits);
    return { ...exit, provider: name, state: await this.#stateAfter(service, action, exit, limits) };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const { state } = await this.run(service, 'status' as ActionName, limits);
    return { state, mainPid: state === 'running' ? this.#mainPid(service) : undefined };
  }

  #commandLine(service: ServiceName, action: ActionName): [program: string, args: string[]] {
    const { program, updateProgram = 'rc-update' } = this.#options;
    switch (action as string) {
      case 'enable':
        return [updateProgram, ['add', service, 'default']];
      case 'disable':
        return [updateProgram, ['del', service, 'default']];
      case 'try-restart':
        // The same under the only name that openrc-run(8) knows.
        return [program, [service, 'condrestart']];
      default:
        return [program, [service, action]];
    }
  }

  async #stateAfter(
    service: ServiceName,
    action: ActionName,
    exit: ProcessExit,
    limits: ReadLimits,
  ): Promise<State> {
    if (exit.exitCode === 0) return action === 'status' ? stateOfCode('openrc', exit) : 'unknown';
    if (wasEnded(exit)) return 'unknown';
    const search = await this.#programs.run(
      this.#options.program,
      ['--exists', service],
      limitsAfter(limits, exit),
    );
    // It says nothing of a service that it does not find, and something when it could not look.
    if (search.exitCode === 1 && search.stderr.text === '') return 'not-found';
    return action === 'status' ? stateOfCode('openrc', exit) : 'unknown';
  }

  async #list(limits: ReadLimits): Promise<ProviderResult> {
    const { statusProgram = 'rc-status' } = this.#options;
    const args = ['--servicelist', '--nocolor'];
    const exit = await this.#programs.run(statusProgram, args, limits, listLimitBytes);
    const services = linesOf(exit.stdout).flatMap((line) => {
      const [, service, word] = /^\s*(\S+)\s+\[\s*([a-z]+)\b.*\]\s*$/.exec(line) ?? [];
      if (service === undefined || word === undefined) return [];
      return [{ service, state: openRcWords.get(word) ?? ('unknown' as const) }];
    });
    return listResult(this.#programs, name, exit, services);
  }

  /** supervise-daemon(8) writes down its child, start-stop-daemon(8) where the pid file is. */
  #mainPid(service: ServiceName): number | undefined {
    const folder = `${optionsFolder}/${service}`;
    const pidFile = this.#read(`${folder}/pidfile`);
    const text =
      this.#read(`${folder}/child_pid`) ?? (pidFile === undefined ? undefined : this.#read(pidFile));
    const pid = Number(/^\d+$/.exec(text ?? '')?.[0] ?? Number.NaN);
    return pid > 0 && this.#options.files.exists(`/proc/${pid}`) ? pid : undefined;
  }

  #read(file: string): string | undefined {
    try {
      return this.#options.files.readText(file).trim();
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return undefined;
    }
  }
}
