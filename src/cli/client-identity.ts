import type { Identity } from '../client/identity.ts';
import { missingIdentity, ownIdentity, personKeyFolder } from '../client/own-identity.ts';
import type { KeyFolder } from '../store/key-folder.ts';
import type { ClientSettings } from './global-options.ts';
import type { MainDeps } from './program.ts';

/** The keys of whoever runs the client, and the managers that he has joined. */
export function clientKeyFolder(
  { security }: Pick<ClientSettings, 'security'>,
  { keyFiles, configFolder }: Pick<MainDeps, 'keyFiles' | 'configFolder'>,
): KeyFolder {
  return personKeyFolder(keyFiles, security.keyDir ?? `${configFolder}/service-mgr`);
}

/** Who asks; undefined without security. `tell` hears what could not be kept. Throws BAD_CONFIG. */
export function identityOf(
  settings: ClientSettings,
  deps: MainDeps,
  tell: (trouble: string) => void,
): Identity | undefined {
  const { security, endpoints = [], file, areEndpointsTyped } = settings;
  const [place, key] = areEndpointsTyped ? ['the command line', '-e'] : [file, 'endpoint'];
  return ownIdentity({
    folder: clientKeyFolder(settings, deps),
    ...{ security, tell },
    endpoints: { [key]: endpoints },
    places: { security: file, endpoints: place },
  });
}

/** What whoever has no identity may have missed, for messages. */
export function missingIdentityOf(settings: ClientSettings, deps: MainDeps): string | undefined {
  const { security } = settings;
  return missingIdentity({ folder: clientKeyFolder(settings, deps), security });
}
