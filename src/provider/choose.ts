import type { Files } from '../platform/files.ts';
import type { Programs } from '../platform/programs.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { BootLinks } from './boot-links.ts';

/** As the configuration names them. */
export type ProviderName = 'service' | 'systemd' | 'openrc' | 'rc' | 'init.d' | 'runit';

/** What the configuration says. */
export interface ProviderSettings {
  readonly provider: 'auto' | ProviderName;
  /** The program of the provider, where it is not the usual one. */
  readonly serviceProgram: string | undefined;
  /** The folder of init scripts or of services of runit, where it is not the usual one. */
  readonly serviceFolder: string | undefined;
}

/** What is looked at on the host. */
export interface ProviderHost {
  /** `uname -s` */
  readonly system: string;
  readonly files: Files;
  readonly programs: Programs;
}

export interface ChosenProvider {
  readonly name: ProviderName;
  readonly program: string;
  readonly serviceFolder: string;
  readonly bootLinks: BootLinks | undefined;
}

const usualPrograms: Readonly<Record<ProviderName, string>> = {
  service: 'service',
  systemd: 'systemctl',
  openrc: 'rc-service',
  rc: 'service',
  // Each script is a program of its own.
  'init.d': '',
  runit: 'sv',
};
const initScriptFolder = '/etc/init.d';
/** Of Debian, Void Linux and runit itself. */
const runitFolders = ['/etc/service', '/var/service', '/service'];

/** Which provider serves this host. Throws BAD_CONFIG when the one that is named is not there. */
export function chooseProvider(settings: ProviderSettings, host: ProviderHost): ChosenProvider {
  const name = settings.provider === 'auto' ? probe(settings, host) : settings.provider;
  const chosen: ChosenProvider = {
    name,
    program: settings.serviceProgram ?? usualPrograms[name],
    serviceFolder: settings.serviceFolder ?? usualFolder(name, host),
    bootLinks: (['update-rc.d', 'chkconfig'] as const).find((program) => host.programs.isThere(program)),
  };
  const trouble = isNamed(settings) ? troubleWith(chosen, settings, host) : undefined;
  if (trouble === undefined) return chosen;
  throw new ServiceManagerError('BAD_CONFIG', trouble);
}

/** What nobody has named may be missing: the agent then says so in its answers. */
function isNamed({ provider, serviceProgram, serviceFolder }: ProviderSettings): boolean {
  return provider !== 'auto' || serviceProgram !== undefined || serviceFolder !== undefined;
}

/** Where several are there, the one that booted the host is asked. */
function probe(
  { serviceProgram }: ProviderSettings,
  { system, files, programs }: ProviderHost,
): ProviderName {
  const byService = system === 'FreeBSD' ? 'rc' : 'service';
  // Without a provider beside it, it is service(8) that is named.
  if (serviceProgram !== undefined) return byService;
  if (hasSystemd(files) && programs.isThere('systemctl')) return 'systemd';
  // The folder alone is there on hosts that have the package, but booted otherwise.
  if (files.exists('/run/openrc/softlevel') && programs.isThere('rc-service')) return 'openrc';
  if (system === 'FreeBSD') return 'rc';
  if (isRunit(firstProcess(files)) && programs.isThere('sv')) return 'runit';
  return programs.isThere('service') || !files.exists(initScriptFolder) ? 'service' : 'init.d';
}

/** As sd_booted(3) does it. */
function hasSystemd(files: Files): boolean {
  return files.exists('/run/systemd/system');
}

/** A runsvdir(8) further down may serve a container, or some user. */
function isRunit(program: string): boolean {
  return ['runit', 'runit-init', 'runsvdir'].includes(program);
}

function firstProcess(files: Files): string {
  try {
    return files.readText('/proc/1/comm').trim();
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return '';
  }
}

function usualFolder(name: ProviderName, { files }: ProviderHost): string {
  if (name !== 'runit') return initScriptFolder;
  return runitFolders.find((folder) => files.exists(folder)) ?? '/etc/service';
}

function troubleWith(
  { name, program, serviceFolder }: ChosenProvider,
  settings: ProviderSettings,
  { files, programs }: ProviderHost,
): string | undefined {
  const provider = `provider = ${name}: this host`;
  if (name === 'systemd' && !hasSystemd(files)) {
    return `${provider} was not booted by systemd, for which there would be the folder /run/systemd/system`;
  }
  if (name !== 'init.d' && !programs.isThere(program)) {
    const isUsual = settings.serviceProgram === undefined;
    return isUsual ? `${provider} has no program ${program}` : noSuch('service_program', program, 'program');
  }
  if ((name === 'init.d' || name === 'runit') && !files.exists(serviceFolder)) {
    const isUsual = settings.serviceFolder === undefined;
    return isUsual
      ? `${provider} has no folder ${serviceFolder}`
      : noSuch('service_folder', serviceFolder, 'folder');
  }
  return undefined;
}

function noSuch(key: string, value: string, what: string): string {
  return `${key} = ${value}: this host has no such ${what}`;
}
