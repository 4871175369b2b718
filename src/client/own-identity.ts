import { securityModeOf, type WantedSecurity } from '../config/exposure.ts';
import { isForbidden } from '../platform/forbidden.ts';
import type { KeyFiles } from '../platform/key-files.ts';
import type { SecretKeyFile } from '../security/key-file.ts';
import type { KnownManager } from '../security/known-manager.ts';
import { KeyFolder } from '../store/key-folder.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { Identity } from './identity.ts';

export const joinCommand = 'service-mgr-client join TOKEN';

export interface OwnIdentityOptions {
  readonly folder: KeyFolder;
  readonly security: WantedSecurity;
  /** Those that are asked in place of the managers that were joined, by the name of the setting that says so. */
  readonly endpoints: Readonly<Record<string, readonly string[]>>;
  /** Where security and endpoints are set, for messages. */
  readonly places: { readonly security: string; readonly endpoints: string };
  /** Hears what could not be kept. */
  readonly tell: (trouble: string) => void;
}

/** The keys of a person, and the managers that he has joined. */
export function personKeyFolder(files: KeyFiles, folder: string): KeyFolder {
  return new KeyFolder({
    ...{ files, keyFile: `${folder}/client.key`, kinds: ['operator', 'monitor'] },
    managersFolder: `${folder}/managers`,
  });
}

/**
 * Who asks, where there is security; undefined: there is none. Throws BAD_CONFIG for keys that cannot be used, where they
 * are missing, and where others could listen.
 */
export function ownIdentity(options: OwnIdentityOptions): Identity | undefined {
  const { folder, security, endpoints, places, tell } = options;
  const keys = keysIn(folder, security.mode);
  const managers = keys === undefined ? [] : folder.managers();
  const hasKeys = managers.length > 0;
  const mode = securityModeOf({ ...security, hasKeys }, endpoints, places.endpoints, joinCommand);
  if (mode === 'none') return undefined;
  if (keys === undefined || !hasKeys) {
    const missing = keys === undefined ? `there are no keys in ${folder.keyFile}` : 'no manager was joined';
    throw new ServiceManagerError(
      'BAD_CONFIG',
      `${places.security}: [security] mode = curve, but ${missing}: run "${joinCommand}"`,
    );
  }
  const keep = (manager: KnownManager) => orTell(() => folder.keepManager(manager), tell);
  return new Identity({ keys, managers, keep });
}

/**
 * What whoever asks without security may have missed, for messages; undefined: he said that there is to be none. To be
 * called where `ownIdentity` knows nobody.
 */
export function missingIdentity({
  folder,
  security,
}: Pick<OwnIdentityOptions, 'folder' | 'security'>): string | undefined {
  if (security.mode === 'none') return undefined;
  const missing = seesKeys(folder) ? 'no manager was joined' : `no keys were found in ${folder.keyFile}`;
  return `${missing}: where the manager has security, run "${joinCommand}" first`;
}

function keysIn(folder: KeyFolder, mode: WantedSecurity['mode']): SecretKeyFile | undefined {
  const areNotMeant = mode === 'none' || (mode === 'auto' && !seesKeys(folder));
  return areNotMeant ? undefined : folder.load();
}

/** In the home of somebody else, as after su(1), there are no keys of ours. */
function seesKeys(folder: KeyFolder): boolean {
  try {
    return folder.hasKeys;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return false;
  }
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
