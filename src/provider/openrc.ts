import type { ProcessTable } from '../platform/process-table.ts';
import type { ProcessExit } from '../platform/processes.ts';
import type { ActionName, ServiceName } from '../wire/fields.ts';
import { HostPrograms, type HostProgramsOptions, limitsAfter, wasEnded } from './host-programs.ts';
import { inspectionOf } from './inspection.ts';
import { linesOf, listLimitBytes, listResult } from './list.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { openRcWords, stateOfCode } from './state.ts';

export interface OpenRcOptions extends HostProgramsOptions {
  /** Where the main processes of services are looked up. */
  readonly processTable: ProcessTable;
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
/** Of openrc-run(8): stopping, starting, inactive. There may be a process already, or still. */
const onItsWay: ReadonlySet<number> = new Set([4, 8, 16]);

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
    const left = limitsAfter(limits, exit);
    if (action === 'status') {
      return { ...exit, provider: name, state: (await this.#inspection(service, exit, left)).state };
    }
    const isAbsent = await this.#isAbsent(service, exit, left);
    return { ...exit, provider: name, state: isAbsent ? 'not-found' : 'unknown' };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const exit = await this.#programs.look(this.#options.program, [service, 'status'], limits);
    return this.#inspection(service, exit, limitsAfter(limits, exit));
  }

  /**
   * That a service was started, OpenRC has written down; whether it still lives, it looks at only where it has a
   * supervisor for it.
   */
  async #inspection(service: ServiceName, exit: ProcessExit, left: ReadLimits): Promise<Inspection> {
    if (await this.#isAbsent(service, exit, left)) return { state: 'not-found', mainPid: undefined };
    if (onItsWay.has(exit.exitCode)) return { state: 'unknown', mainPid: undefined };
    const status = {
      service,
      exit,
      codeSays: stateOfCode('openrc', exit),
      writtenPid: this.#childOf(service),
    };
    return inspectionOf(status, this.#options.processTable);
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

  /** What went well needs no search. */
  async #isAbsent(service: ServiceName, exit: ProcessExit, left: ReadLimits): Promise<boolean> {
    if (exit.exitCode === 0 || wasEnded(exit)) return false;
    const search = await this.#programs.look(this.#options.program, ['--exists', service], left);
    // It says nothing of a service that it does not find, and something when it could not look.
    return search.exitCode === 1 && search.stderr.text === '';
  }

  async #list(limits: ReadLimits): Promise<ProviderResult> {
    const { statusProgram = 'rc-status' } = this.#options;
    const args = ['--servicelist', '--nocolor'];
    const exit = await this.#programs.look(statusProgram, args, limits, listLimitBytes);
    const services = linesOf(exit.stdout).flatMap((line) => {
      const [, service, word] = /^\s*(\S+)\s+\[\s*([a-z]+)\b.*\]\s*$/.exec(line) ?? [];
      if (service === undefined || word === undefined) return [];
      return [{ service, state: openRcWords.get(word) ?? ('unknown' as const) }];
    });
    return listResult(this.#programs, name, exit, services);
  }

  /** As supervise-daemon(8) writes it down; the pid file has the supervisor itself. */
  #childOf(service: ServiceName): number | undefined {
    const written = this.#options.processTable.read(`${optionsFolder}/${service}/child_pid`)?.text.trim();
    return /^[1-9]\d*$/.test(written ?? '') ? Number(written) : undefined;
  }
}
