import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { Files } from '../files.ts';
import { orTrouble } from './file-trouble.ts';

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
  return orTrouble('BAD_CONFIG', path, trouble, act);
}
