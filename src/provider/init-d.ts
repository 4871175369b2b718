import type { ProcessTable } from '../platform/process-table.ts';
import type { CapturedOutput, ProcessExit } from '../platform/processes.ts';
import type { Programs } from '../platform/programs.ts';
import type { ActionName, ServiceName } from '../wire/fields.ts';
import { type BootLinks, bootLinksCommand } from './boot-links.ts';
import { HostPrograms, type HostProgramsOptions, limitsAfter } from './host-programs.ts';
import { inspectionOf } from './inspection.ts';
import { askStates, linesOf, listLimitBytes, listResult } from './list.ts';
import { serviceNamesIn } from './names.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { stateOfCode } from './state.ts';

export interface InitDOptions extends HostProgramsOptions {
  readonly hostPrograms: Programs;
  /** Where the init scripts are. */
  readonly serviceFolder: string;
  readonly bootLinks: BootLinks | undefined;
  /** Where the main processes of services are looked up; without it, they are not known. */
  readonly processTable?: ProcessTable | undefined;
}

const name = 'init.d';
const nothing: CapturedOutput = { text: '', cutBytes: 0 };

/** Runs the init scripts themselves: `/etc/init.d/NAME ACTION`. */
export class InitD implements Provider {
  readonly #options: InitDOptions;
  readonly #programs: HostPrograms;

  constructor(options: InitDOptions) {
    this.#options = options;
    this.#programs = new HostPrograms(options);
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    if (action === 'list') return this.#list(limits);
    const script = this.#scriptOf(service);
    if (!this.#options.hostPrograms.isThere(script)) return noScript(script, action);
    const command = bootLinksCommand(this.#options.bootLinks, service, action) ?? [script, [action]];
    const exit = await this.#programs.act(...command, limits);
    const state = action === 'status' ? this.#inspection(service, exit).state : 'unknown';
    return { ...exit, provider: name, state };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const script = this.#scriptOf(service);
    if (!this.#options.hostPrograms.isThere(script)) return { state: 'not-found', mainPid: undefined };
    return this.#inspection(service, await this.#programs.run(script, ['status'], limits));
  }

  #inspection(service: ServiceName, exit: ProcessExit): Inspection {
    const codeSays = stateOfCode('lsb', exit);
    return inspectionOf({ service, exit, codeSays }, this.#options.processTable);
  }

  async #list(limits: ReadLimits): Promise<ProviderResult> {
    const { serviceFolder, hostPrograms } = this.#options;
    const exit = await this.#programs.run('ls', ['-1', '--', serviceFolder], limits, listLimitBytes);
    const scripts = serviceNamesIn(linesOf(exit.stdout)).filter((each) =>
      hostPrograms.isThere(this.#scriptOf(each)),
    );
    const states = await askStates(scripts, limitsAfter(limits, exit), (each, left) =>
      this.run(each, 'status' as ActionName, left),
    );
    return listResult(this.#programs, name, exit, states);
  }

  #scriptOf(service: ServiceName): string {
    return `${this.#options.serviceFolder}/${service}`;
  }
}

/** With the codes of LSB 5.0, "Init Script Actions": 4, a status that is not known; 5, what is not installed. */
function noScript(script: string, action: ActionName): ProviderResult {
  const exit: ProcessExit = {
    exitCode: action === 'status' ? 4 : 5,
    timedOut: false,
    aborted: false,
    stdout: nothing,
    stderr: { text: `${script}: there is no such init script, or it is not executable\n`, cutBytes: 0 },
    durationMs: 0,
  };
  return { ...exit, provider: name, state: 'not-found' };
}
