import type { ProcessTable } from '../platform/process-table.ts';
import type { ProcessExit, Processes } from '../platform/processes.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import type { ListedService } from '../wire/result.ts';
import { type BootLinks, bootLinksCommand } from './boot-links.ts';
import { HostPrograms } from './host-programs.ts';
import { inspectionOf } from './inspection.ts';
import { linesOf, listLimitBytes, listResult } from './list.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { stateAfterAction, stateOfStatus, statusAllMarks } from './state.ts';

export interface Service8Options {
  readonly processes: Processes;
  /** Where the main processes of services are looked up; without it, they are not known. */
  readonly processTable?: ProcessTable;
  /** service(8): a name on PATH or an absolute path. */
  readonly program: string;
  /** `uname -s` of this host. */
  readonly system: string;
  readonly outputLimitBytes: number;
  /** What this host has for `enable` and `disable`. Without it, service(8) is asked for them, too. */
  readonly bootLinks?: BootLinks;
}

const name = 'service(8)';

/** Runs `service NAME ACTION`. */
export class Service8 implements Provider {
  readonly #options: Service8Options;
  readonly #programs: HostPrograms;

  constructor(options: Service8Options) {
    this.#options = options;
    this.#programs = new HostPrograms(options);
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    if (action === 'list') return this.#list(limits);
    const { program, bootLinks } = this.#options;
    const command = bootLinksCommand(bootLinks, service, action) ?? [program, [service, action]];
    const exit = await this.#programs.act(...command, limits);
    const state = action === 'status' ? this.#inspection(service, exit).state : stateAfterAction(exit);
    return { ...exit, provider: name, state };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const { program } = this.#options;
    return this.#inspection(service, await this.#programs.run(program, [service, 'status'], limits));
  }

  #inspection(service: ServiceName, exit: ProcessExit): Inspection {
    const { system, processTable } = this.#options;
    return inspectionOf({ service, exit, codeSays: stateOfStatus(system, exit) }, processTable);
  }

  /** service(8) knows no list of one service; asked for it, it names all. */
  async #list(limits: ReadLimits): Promise<ProviderResult> {
    const args = ['--status-all'];
    const exit = await this.#programs.run(this.#options.program, args, limits, listLimitBytes);
    const services = [exit.stdout, exit.stderr].flatMap(linesOf).flatMap(listed);
    return listResult(this.#programs, name, exit, services);
  }
}

/** A line of Debian's service(8), such as ` [ + ]  cron`. */
function listed(line: string): ListedService[] {
  const [, mark, service] = /^ \[ ([-+?]) \] {2}(\S+)$/.exec(line) ?? [];
  if (mark === undefined || service === undefined) return [];
  const state: State = statusAllMarks.get(mark) ?? 'unknown';
  return [{ service, state }];
}
