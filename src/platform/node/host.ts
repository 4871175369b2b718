import { readFileSync } from 'node:fs';
import { hostname, machine, release, type, version } from 'node:os';
import type { HostFacts } from '../host.ts';
import { isMissing } from './file-trouble.ts';

const osReleaseFiles = ['/etc/os-release', '/usr/lib/os-release'];

export function readHostFacts(files: readonly string[] = osReleaseFiles): HostFacts {
  return {
    hostname: hostname(),
    system: type(),
    release: release(),
    version: version(),
    machine: machine(),
    osRelease: parseOsRelease(readFirst(files)),
  };
}

/** The assignments of an os-release(5) file. A line that is none, or whose quotes do not close, is passed over. */
export function parseOsRelease(text: string): Record<string, string> {
  const assignments = text.split('\n').flatMap((line): [string, string][] => {
    const [, name, written] = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line) ?? [];
    const value = unquote(written ?? '');
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(assignments);
}

function unquote(written: string): string | undefined {
  const single = /^'([^']*)'$/.exec(written)?.[1];
  if (single !== undefined) return single;
  // As in a shell, a backslash between double quotes stays unless it stands before one of these four.
  const double = /^"((?:[^"\\]|\\.)*)"$/.exec(written)?.[1];
  if (double !== undefined) return double.replace(/\\([$"\\`])/g, '$1');
  const bare = /^(?:[^'"\\]|\\.)*$/.exec(written)?.[0];
  return bare?.replace(/\\(.)/g, '$1');
}

function readFirst(files: readonly string[]): string {
  for (const file of files) {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return '';
}
