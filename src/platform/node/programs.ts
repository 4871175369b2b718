import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Programs } from '../programs.ts';
import { cleanEnvironment } from './processes.ts';

/** Of a process with this environment. */
export function nodePrograms(environment: NodeJS.ProcessEnv): Programs {
  const folders = (cleanEnvironment(environment)['PATH'] ?? '').split(':');
  return {
    isThere: (program) =>
      program.startsWith('/')
        ? isExecutable(program)
        : folders.some((folder) => isExecutable(join(folder, program))),
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
