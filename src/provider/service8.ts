import type { ProcessTable } from '../platform/process-table.ts';
import type { ProcessExit, Processes } from '../platform/processes.ts';
import type { ActionName, ServiceName } from '../wire/fields.ts';
import { inspectionOf } from './inspection.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { stateAfterAction, stateOfStatus } from './state.ts';

export interface Service8Options {
  readonly processes: Processes;
  /** Where the main processes of services are looked up; without it, they are not known. */
  readonly processTable?: ProcessTable;
  /** service(8): a name on PATH or an absolute path. */
  readonly program: string;
  /** `uname -s` of this host. */
  readonly system: string;
  readonly outputLimitBytes: number;
}

const killAfterMs = 5_000;

/** Runs `service NAME ACTION`. */
export class Service8 implements Provider {
  readonly #options: Service8Options;

  constructor(options: Service8Options) {
    this.#options = options;
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    // service(8) knows no list of one service; asked for it, it names all.
    const exit = await this.#service8(action === 'list' ? ['--status-all'] : [service, action], limits);
    const state = action === 'status' ? this.#inspection(service, exit).state : stateAfterAction(exit);
    return { ...exit, provider: 'service(8)', state };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    return this.#inspection(service, await this.#service8([service, 'status'], limits));
  }

  #service8(args: readonly string[], limits: ReadLimits): Promise<ProcessExit> {
    const { processes, program, outputLimitBytes } = this.#options;
    return processes.run(program, args, { ...limits, killAfterMs, outputLimitBytes });
  }

  #inspection(service: ServiceName, exit: ProcessExit): Inspection {
    const { system, processTable } = this.#options;
    return inspectionOf({ service, exit, codeSays: stateOfStatus(system, exit) }, processTable);
  }
}
