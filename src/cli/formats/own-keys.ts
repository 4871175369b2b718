import { fingerprintOf } from '../../security/fingerprint.ts';
import { publicPartOf, type SecretKeyFile } from '../../security/key-file.ts';
import type { KnownManager } from '../../security/known-manager.ts';
import { formatFields } from './columns.ts';

type Field = readonly [name: string, value: string];

/** Whose keys are in a file, and by what others know them; nothing secret. */
export function formatOwnKeys(keys: SecretKeyFile, file: string, more: readonly Field[] = []): string {
  const { kind, name, created } = keys;
  return formatFields([
    [kind, name],
    ['file', file],
    ['created', created],
    ['fingerprint', fingerprintOfKeys(keys)],
    ...more,
  ]);
}

/** A line for each manager that was joined. */
export function managerFields(managers: readonly KnownManager[]): Field[] {
  return managers.map(({ name, key, endpoints }) => [
    'manager',
    `${name}, ${fingerprintOf({ curve: key })}, ${endpoints.join}`,
  ]);
}

export function fingerprintOfKeys(keys: SecretKeyFile): string {
  return fingerprintOf(publicPartOf(keys).keys);
}
