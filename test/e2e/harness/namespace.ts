import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Ended, runProgram, startProgram } from './processes.ts';
import type { Program } from './program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A part of this host with process ids and mounts of its own; whatever runs in it ends with it. */
export interface Namespace {
  readonly program: Program;
  /** Before a command line: has it run inside. The command is a child of what stands here, in its process group. */
  readonly enter: readonly string[];
  /** For `within` of a daemon: as `enter`, and when what stands here is ended, the daemon gets TERM. */
  readonly within: readonly string[];
  /** The root folder inside, as it is seen from outside. */
  readonly root: string;
  /** Runs a program inside to its end. */
  run(name: string, ...args: readonly string[]): Promise<Ended>;
  /** A program outside that is the named one inside, for tests that hand a program over. */
  wrapper(name: string): string;
}

// Its number outside is what /proc shows until the own one is mounted over it.
const beginning = `set -e
read -r outside _ </proc/self/stat
mount -t proc proc /proc
`;

// unshare(1) ignores TERM, so it stands behind a shell with which it is killed. With it dies the first process inside, and
// with that one the kernel kills all others there.
const outside = `setpriv --pdeathsig KILL unshare --pid --fork --mount --uts --ipc --kill-child sh "$1" &
wait "$!"`;

/**
 * Runs a script of sh that prepares the inside, and ends by becoming the first process inside (`exec`, or a loop that
 * waits). Resolves when it has got past its \`ready\`. `cleanUp()` ends everything inside; needs root.
 */
export async function startNamespace(label: string, script: string, programs: readonly string[]) {
  refuseWrongHost(label, programs);
  const file = join(temporaryFolder(), 'inside');
  writeFileSync(file, `${beginning}ready() { echo "inside $outside"; }\n${script}`);
  const program = startProgram('sh', ['-c', outside, 'sh', file], { label });
  const [, pid = ''] = await program.waitForLine(/^inside (\d+)$/);
  return inside(program, pid);
}

function inside(program: Program, pid: string): Namespace {
  const enter = ['nsenter', '--target', pid, '--mount', '--pid', '--uts', '--ipc', '--'];
  const [first = '', ...rest] = enter;
  return {
    program,
    enter,
    within: [...enter, 'setpriv', '--pdeathsig', 'TERM', '--'],
    root: `/proc/${pid}/root`,
    run: (name, ...args) => runProgram(first, [...rest, name, ...args], { label: `${name} inside` }),
    wrapper: (name) => {
      const file = join(temporaryFolder(), name);
      writeFileSync(file, `#!/bin/sh\nexec ${enter.join(' ')} ${name} "$@"\n`);
      chmodSync(file, 0o755);
      return file;
    },
  };
}

/** The tests of real service managers are never skipped silently: where they cannot run, they fail and say why. */
function refuseWrongHost(label: string, programs: readonly string[]): void {
  if (process.getuid?.() !== 0) throw new Error(`${label} has to run as root`);
  const missing = ['unshare', 'nsenter', 'setpriv', ...programs].filter((program) => !isThere(program));
  if (missing.length > 0) throw new Error(`${label} needs ${missing.join(', ')}`);
}

function isThere(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return program.startsWith('/')
    ? existsSync(program)
    : folders.some((folder) => existsSync(join(folder, program)));
}
