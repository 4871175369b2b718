import type { HostFacts } from '../platform/host.ts';
import type { Hello } from '../wire/presence.ts';
import { version } from '../wire/version.ts';

/** What an agent says of itself and of its host. */
export function helloOf(
  { system, release, version: systemVersion, machine, osRelease }: HostFacts,
  agent: Pick<Hello, 'node' | 'boot' | 'roles' | 'topics' | 'startedAtMs'>,
): Hello {
  const { ID: os, VERSION_ID: osVersion } = osRelease;
  return {
    ...{ system, release, version: systemVersion, machine },
    ...(os === undefined ? {} : { os }),
    ...(osVersion === undefined ? {} : { osVersion }),
    ...agent,
    agentVersion: version,
  };
}
