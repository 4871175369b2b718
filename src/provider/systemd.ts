import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import type { ListedService } from '../wire/result.ts';
import { HostPrograms, type HostProgramsOptions, limitsAfter, wasEnded } from './host-programs.ts';
import { linesOf, listLimitBytes, listResult } from './list.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { stateOfUnit } from './state.ts';

export interface SystemdOptions extends HostProgramsOptions {
  /** systemctl(1): a name on PATH or an absolute path. */
  readonly program: string;
}

const name = 'systemd';
const quietly = ['--no-pager', '--full'];
const forMachines = [...quietly, '--plain', '--no-legend', '--type=service'];
const properties = ['LoadState', 'ActiveState', 'SubState', 'MainPID'];
const notKnown: Inspection = { state: 'unknown', mainPid: undefined };

/** Runs `systemctl ACTION NAME.service`, and tells the state by `systemctl show`. */
export class Systemd implements Provider {
  readonly #program: string;
  readonly #programs: HostPrograms;

  constructor({ program, ...options }: SystemdOptions) {
    this.#program = program;
    this.#programs = new HostPrograms(options);
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    if (action === 'list') return this.#list(limits);
    const unit = unitOf(service);
    const exit = await this.#programs.act(this.#program, [...quietly, action, unit], limits);
    if (wasEnded(exit)) return { ...exit, provider: name, state: 'unknown' };
    const mayBeUnknown = action === 'status' || exit.exitCode !== 0;
    const { state } = mayBeUnknown ? await this.inspect(service, limitsAfter(limits, exit)) : notKnown;
    // What a unit is after another action is not said here, but whether there is one.
    return {
      ...exit,
      provider: name,
      state: action === 'status' || state === 'not-found' ? state : 'unknown',
    };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const asked = properties.map((property) => `--property=${property}`);
    const exit = await this.#programs.run(this.#program, ['show', ...asked, unitOf(service)], limits);
    if (exit.exitCode !== 0 || wasEnded(exit)) return notKnown;
    const shown = new Map(linesOf(exit.stdout).map(assignment));
    const state = stateOfUnit(
      ...words(shown.get('LoadState'), shown.get('ActiveState'), shown.get('SubState')),
    );
    return { state, mainPid: Number(shown.get('MainPID')) || undefined };
  }

  /** Of what systemd has loaded, and of what it could load: a unit that nothing needs is not kept loaded. */
  async #list(limits: ReadLimits): Promise<ProviderResult> {
    const units = await this.#programs.run(
      this.#program,
      [...forMachines, '--all', 'list-units'],
      limits,
      listLimitBytes,
    );
    const files = await this.#programs.run(
      this.#program,
      [...forMachines, 'list-unit-files'],
      limitsAfter(limits, units),
      listLimitBytes,
    );
    const states = new Map<string, State>();
    for (const [file = '', fileState] of linesOf(files.stdout).map(columns)) {
      const isOne = file.endsWith(suffix) && !file.endsWith(`@${suffix}`) && fileState !== 'alias';
      if (isOne) states.set(file, 'stopped');
    }
    for (const [unit = '', load = '', active = '', sub = ''] of linesOf(units.stdout).map(columns)) {
      if (load !== 'not-found' && unit.endsWith(suffix)) states.set(unit, stateOfUnit(load, active, sub));
    }
    // If one of them fails, what the other one says is not the whole list.
    const ended = units.exitCode === 0 && !wasEnded(units) ? files : units;
    const durationMs = units.durationMs + files.durationMs;
    const exit = { ...ended, stdout: units.stdout, durationMs };
    return listResult(this.#programs, name, exit, Array.from(states, listed));
  }
}

const suffix = '.service';

/** Always a service: `poweroff.target` would be a unit, too, and starting it would end the host. */
function unitOf(service: ServiceName): string {
  return service.endsWith(suffix) ? service : `${service}${suffix}`;
}

function listed([unit, state]: readonly [string, State]): ListedService {
  return { service: unit.slice(0, -suffix.length), state };
}

function assignment(line: string): [name: string, value: string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

function words(load = '', active = '', sub = ''): [load: string, active: string, sub: string] {
  return [load, active, sub];
}

function columns(line: string): string[] {
  return line.split(/\s+/);
}
