import { type KeyKind, newSecretKeys, type SecretKeyFile } from '../security/key-file.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import { fingerprintOfKeys } from './formats/own-keys.ts';

/** Where keys are kept. All methods throw BAD_CONFIG. */
export interface KeyPlace {
  readonly keyFile: string;
  load(): SecretKeyFile | undefined;
  create(keys: SecretKeyFile): void;
}

/** Makes keys where there are none yet; throws BAD_CONFIG where there are some: they are never overwritten. */
export function makeKeys(place: KeyPlace, kind: KeyKind, name: NodeName, nowWallMs: number): SecretKeyFile {
  const known = place.load();
  if (known !== undefined)
    throw new ServiceManagerError(
      'BAD_CONFIG',
      `${place.keyFile}: there are keys of ${known.kind} ${known.name} already, ${fingerprintOfKeys(known)}; ` +
        'keys are never overwritten',
    );
  const keys = newSecretKeys(kind, name, nowWallMs);
  place.create(keys);
  return keys;
}

/** Throws BAD_CONFIG where there are none; `remedy` is the command that makes them. */
export function loadKeys(place: Pick<KeyPlace, 'keyFile' | 'load'>, remedy: string): SecretKeyFile {
  const keys = place.load();
  if (keys !== undefined) return keys;
  throw new ServiceManagerError('BAD_CONFIG', `${place.keyFile}: there are no keys yet: run "${remedy}"`);
}
