import type { Processes } from '../platform/processes.ts';
import type { ActionName, ServiceName } from '../wire/fields.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { stateAfterAction, stateOfStatus } from './state.ts';

export interface Service8Options {
  readonly processes: Processes;
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
    const { processes, program, system, outputLimitBytes } = this.#options;
    // service(8) knows no list of one service; asked for it, it names all.
    const args = action === 'list' ? ['--status-all'] : [service, action];
    const exit = await processes.run(program, args, { ...limits, killAfterMs, outputLimitBytes });
    const state = action === 'status' ? stateOfStatus(system, exit) : stateAfterAction(exit);
    return { ...exit, provider: 'service(8)', state };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const { state } = await this.run(service, 'status' as ActionName, limits);
    return { state, mainPid: undefined };
  }
}
