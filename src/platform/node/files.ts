import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { ServiceManagerError } from '../../wire/errors.ts';
import type { Files } from '../files.ts';

export const nodeFiles: Files = {
  exists: existsSync,
  readText: (path) => orBadConfig(path, 'cannot be read', () => readFileSync(path, 'utf8')),
  makeFolder: (path) =>
    orBadConfig(path, 'is no writable folder', () => {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      accessSync(path, constants.W_OK | constants.X_OK);
    }),
};

function orBadConfig<Value>(path: string, trouble: string, act: () => Value): Value {
  try {
    return act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServiceManagerError('BAD_CONFIG', `${path}: ${trouble} (${reason})`, { cause });
  }
}
