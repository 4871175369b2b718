import type { ProcessExit } from '../platform/processes.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import { HostPrograms, type HostProgramsOptions, limitsAfter } from './host-programs.ts';
import { askStates, linesOf, listLimitBytes, listResult } from './list.ts';
import { serviceNamesIn } from './names.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { stateOfCode } from './state.ts';

export interface FreeBsdRcOptions extends HostProgramsOptions {
  /** service(8) of FreeBSD: a name on PATH or an absolute path. */
  readonly program: string;
}

const name = 'rc(8)';

/** Runs `service NAME ACTION` of FreeBSD, whose rc.d scripts stand on rc.subr(8). */
export class FreeBsdRc implements Provider {
  readonly #program: string;
  readonly #programs: HostPrograms;

  constructor({ program, ...options }: FreeBsdRcOptions) {
    this.#program = program;
    this.#programs = new HostPrograms(options);
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    if (action === 'list') return this.#list(limits);
    const exit = await this.#programs.act(this.#program, [service, action], limits);
    return { ...exit, provider: name, state: await this.#stateAfter(service, action, exit, limits) };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const exit = await this.#trueStatus(service, limits);
    const state = stateOfTrueStatus(service, exit);
    const pid = /is running as pid (\d+)/.exec(exit.stdout.text)?.[1];
    return { state, mainPid: state === 'running' && pid !== undefined ? Number(pid) : undefined };
  }

  async #stateAfter(
    service: ServiceName,
    action: ActionName,
    exit: ProcessExit,
    limits: ReadLimits,
  ): Promise<State> {
    if (isNotFound(service, exit)) return 'not-found';
    if (action !== 'status') return 'unknown';
    if (!wasRefused(exit)) return stateOfTrueStatus(service, exit);
    return stateOfTrueStatus(service, await this.#trueStatus(service, limitsAfter(limits, exit)));
  }

  /** `onestatus` looks also at a service that rc.conf(5) does not enable, where some releases refuse `status` with code 0. */
  #trueStatus(service: ServiceName, limits: ReadLimits): Promise<ProcessExit> {
    return this.#programs.run(this.#program, [service, 'onestatus'], limits);
  }

  async #list(limits: ReadLimits): Promise<ProviderResult> {
    const exit = await this.#programs.run(this.#program, ['-l'], limits, listLimitBytes);
    const names = serviceNamesIn(linesOf(exit.stdout));
    const states = await askStates(names, limitsAfter(limits, exit), async (service, left) => {
      const status = await this.#trueStatus(service, left);
      return { state: stateOfTrueStatus(service, status), durationMs: status.durationMs };
    });
    return listResult(this.#programs, name, exit, states);
  }
}

function stateOfTrueStatus(service: ServiceName, exit: ProcessExit): State {
  if (isNotFound(service, exit)) return 'not-found';
  // What has no process has no status either, and its exit code is that of a wrong usage.
  const hasStatus = !/: unknown directive '(?:one)?status'\.$/m.test(exit.stderr.text) && !wasRefused(exit);
  return hasStatus ? stateOfCode('rc.subr', exit) : 'unknown';
}

/** By service(8) itself, before any script runs. */
function isNotFound(service: ServiceName, { exitCode, stdout }: ProcessExit): boolean {
  return exitCode !== 0 && stdout.text.startsWith(`${service} does not exist in /etc/rc.d`);
}

/** By rc.subr(8), with code 0, because rc.conf(5) does not enable the service. */
function wasRefused({ exitCode, stdout }: ProcessExit): boolean {
  return exitCode === 0 && /^Cannot 'status' \S+ Set \S+ to YES in /m.test(stdout.text);
}
