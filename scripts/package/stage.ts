import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { folders, type PackagedFile } from './files.ts';

/** Lays everything out below a folder as it will be below `/`. */
export function stage(files: readonly PackagedFile[], folder: string): void {
  for (const path of folders) makeFolder(join(folder, path));
  for (const { path, content, isExecutable = false } of files) {
    const target = join(folder, path);
    makeFolder(dirname(target));
    if ('linkTo' in content) symlinkSync(content.linkTo, target);
    else writeStaged(target, content, isExecutable);
  }
}

export function writeStaged(target: string, content: Buffer | string, isExecutable = false): void {
  writeFileSync(target, content);
  chmodSync(target, isExecutable ? 0o755 : 0o644);
}

// Whatever the umask of the caller is: in a package the modes are those of the target host.
function makeFolder(path: string): void {
  const before = process.umask(0o022);
  mkdirSync(path, { recursive: true });
  process.umask(before);
}
