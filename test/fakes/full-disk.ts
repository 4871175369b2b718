import { spawnSync } from 'node:child_process';
import { program } from './proc-files.ts';
import type { FullDiskReport } from './programs/fills-its-disk.ts';

// A mount of its own, which goes with the program. Namespaces of users let also those do it who are not root.
const inAMount = ['--mount', '--map-root-user'];
const mount = 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"';

/** Undefined where this host does not let us mount. */
export function runOnFullDisk(
  kind: 'store' | 'answers' | 'journal' | 'append-file',
  folder: string,
): FullDiskReport | undefined {
  const canMount = spawnSync('unshare', [...inAMount, 'sh', '-c', mount, folder, 'true']).status === 0;
  if (!canMount) return undefined;
  const command = [process.execPath, '--import', 'tsx', program('fills-its-disk.ts'), kind, folder];
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    [...inAMount, 'sh', '-c', mount, folder, ...command],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`fills-its-disk.ts ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as FullDiskReport;
}
