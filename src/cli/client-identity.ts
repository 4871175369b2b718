import { Identity } from '../client/identity.ts';
import { securityModeOf } from '../config/exposure.ts';
import type { KnownManager } from '../security/known-manager.ts';
import { KeyFolder } from '../store/key-folder.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { ClientSettings } from './global-options.ts';
import type { MainDeps } from './program.ts';

export const joinCommand = 'service-mgr-client join TOKEN';

/** The keys of whoever runs the client, and the managers that he has joined. */
export function clientKeyFolder(
  { security }: Pick<ClientSettings, 'security'>,
  { keyFiles, configFolder }: Pick<MainDeps, 'keyFiles' | 'configFolder'>,
): KeyFolder {
  const folder = security.keyDir ?? `${configFolder}/service-mgr`;
  return new KeyFolder({
    ...{ files: keyFiles, keyFile: `${folder}/client.key`, kinds: ['operator', 'monitor'] },
    managersFolder: `${folder}/managers`,
  });
}

/**
 * Who asks, where there is security; undefined: there is none. `tell` hears what could not be kept. Throws BAD_CONFIG for
 * keys that cannot be used, where they are missing, and where others could listen.
 */
export function identityOf(
  settings: ClientSettings,
  deps: MainDeps,
  tell: (trouble: string) => void,
): Identity | undefined {
  const { security, endpoints = [], file, areEndpointsTyped } = settings;
  const folder = clientKeyFolder(settings, deps);
  const keys = security.mode === 'none' ? undefined : folder.load();
  const managers = keys === undefined ? [] : folder.managers();
  const hasKeys = managers.length > 0;
  const [place, key] = areEndpointsTyped ? ['the command line', '-e'] : [file, 'endpoint'];
  const mode = securityModeOf({ ...security, hasKeys }, { [key]: endpoints }, place, joinCommand);
  if (mode === 'none') return undefined;
  if (keys === undefined || !hasKeys) {
    const missing = keys === undefined ? `there are no keys in ${folder.keyFile}` : 'no manager was joined';
    throw new ServiceManagerError(
      'BAD_CONFIG',
      `${file}: [security] mode = curve, but ${missing}: run "${joinCommand}"`,
    );
  }
  const keep = (manager: KnownManager) => orTell(() => folder.keepManager(manager), tell);
  return new Identity({ keys, managers, keep });
}

/** It comes while an answer is waited for, which is worth more. */
function orTell(act: () => void, tell: (trouble: string) => void): void {
  try {
    act();
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    tell(error.message);
  }
}
