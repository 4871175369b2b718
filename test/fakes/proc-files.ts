import { existsSync, fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of one of the small programs that tests run. */
export function program(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
}

/** A zombie that nobody has reaped yet is not alive. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** How many descriptors this process holds. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Sizes of the files under this path that this process holds open, also of those that have no name any more. */
export function openSizes(path: string): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path) ? [fstatSync(Number(fd)).size] : [];
    } catch {
      return [];
    }
  });
}

export function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
