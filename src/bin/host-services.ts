import process from 'node:process';
import { nodeFiles } from '../platform/node/files.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { nodeProcessTable } from '../platform/node/process-table.ts';
import { nodePrograms } from '../platform/node/programs.ts';
import type { Processes } from '../platform/processes.ts';
import { type ChosenProvider, chooseProvider, type ProviderSettings } from '../provider/choose.ts';
import { openProvider } from '../provider/open.ts';
import type { Provider } from '../provider/provider.ts';

export interface HostServicesOptions extends ProviderSettings {
  readonly outputLimitBytes: number;
}

export interface HostServices {
  readonly chosen: ChosenProvider;
  readonly provider: Provider;
}

/** The service manager of this host, as the configuration names it or as it is found. Throws BAD_CONFIG. */
export function openHostServices(options: HostServicesOptions, processes: Processes): HostServices {
  const { outputLimitBytes } = options;
  const { system } = readHostFacts();
  const host = { system, files: nodeFiles, programs: nodePrograms(process.env) };
  const chosen = chooseProvider(options, host);
  const deps = { ...host, processes, processTable: nodeProcessTable, outputLimitBytes };
  return { chosen, provider: openProvider(chosen, deps) };
}
