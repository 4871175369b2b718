import type { Files } from '../platform/files.ts';
import type { ProcessTable } from '../platform/process-table.ts';
import type { Programs } from '../platform/programs.ts';
import type { ChosenProvider } from './choose.ts';
import { FreeBsdRc } from './freebsd-rc.ts';
import type { HostProgramsOptions } from './host-programs.ts';
import { InitD } from './init-d.ts';
import { OpenRc } from './openrc.ts';
import type { Provider } from './provider.ts';
import { Runit } from './runit.ts';
import { Service8 } from './service8.ts';
import { Systemd } from './systemd.ts';

export interface ProviderDeps extends HostProgramsOptions {
  readonly files: Files;
  readonly programs: Programs;
  readonly processTable: ProcessTable;
  /** `uname -s` */
  readonly system: string;
}

export function openProvider(chosen: ChosenProvider, deps: ProviderDeps): Provider {
  const { program, serviceFolder, bootLinks } = chosen;
  const { system, programs: hostPrograms } = deps;
  switch (chosen.name) {
    case 'service':
      return new Service8({ ...deps, program, system, ...(bootLinks === undefined ? {} : { bootLinks }) });
    case 'systemd':
      return new Systemd({ ...deps, program });
    case 'openrc':
      return new OpenRc({ ...deps, program });
    case 'rc':
      return new FreeBsdRc({ ...deps, program });
    case 'init.d':
      return new InitD({ ...deps, hostPrograms, serviceFolder, bootLinks });
    case 'runit':
      return new Runit({ ...deps, program, serviceFolder });
  }
}
