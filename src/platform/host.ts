/** What this host says of itself. */
export interface HostFacts {
  readonly hostname: string;
  /** `uname -s`, `-r`, `-v`, `-m`. */
  readonly system: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  /** From os-release(5); empty where the file is missing. */
  readonly osRelease: Readonly<Record<string, string>>;
}

/** The list that `uname` shows in a 2014 status: system, host name, release, version, machine, processor. */
export function unameOf(host: HostFacts): string[] {
  return [host.system, host.hostname, host.release, host.version, host.machine, ''];
}
