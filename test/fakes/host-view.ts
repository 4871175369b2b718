import type { Files } from '../../src/platform/files.ts';
import type { ProviderHost } from '../../src/provider/choose.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';

/** Files as a test writes them down, by path. A folder ends with a slash. */
export function memoryFiles(contents: Readonly<Record<string, string>>): Files {
  const texts = new Map(Object.entries(contents));
  return {
    exists: (path) => texts.has(path) || texts.has(`${path}/`),
    readText: (path) => {
      const text = texts.get(path);
      if (text === undefined) throw new ServiceManagerError('BAD_CONFIG', `${path}: cannot be read`);
      return text;
    },
    makeFolder: () => {},
  };
}

/** A host of which only this is known. */
export function hostView(
  contents: Readonly<Record<string, string>> = {},
  programs: readonly string[] = [],
  system = 'Linux',
): ProviderHost {
  return {
    system,
    files: memoryFiles(contents),
    programs: { isThere: (program) => programs.includes(program) },
  };
}
