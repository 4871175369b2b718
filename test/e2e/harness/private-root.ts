import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { built } from './daemon.ts';
import { type Ended, runProgram, startProgram } from './processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/** A host of its own for what is installed with fixed paths and under fixed ports. */
export interface PrivateRoot {
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Runs a line of sh and resolves with what it printed; throws when it fails. */
  sh(line: string): Promise<string>;
  /** The command lines of the processes whose command line matches, by pid as seen inside. */
  processes(pattern: RegExp): Promise<ReadonlyMap<number, string>>;
}

const top = fileURLToPath(new URL('../../../', import.meta.url));
const daemons = ['service-mgrd', 'service-mgr-agentd', 'service-mgr-client'];

// The first process of the room also takes in the dead whose parents are gone, as init does.
const setUp = `
set -e
ip link set lo up
# What other tests put there may go while it is copied.
cp -a /etc "$1/etc" 2>/dev/null || [ -e "$1/etc/passwd" ]
mkdir -p "$1/lib"
cp "$2"/*.cjs "$2"/*.node "$1/lib"
mount --bind "$1/etc" /etc
for folder in /run /var/log /var/lib; do mount -t tmpfs -o mode=755 private "$folder"; done
mount -t tmpfs -o mode=755 private /usr/local
mkdir -p /usr/local/bin /usr/local/lib/service-mgr /run/lock
cp "$1/lib/"* /usr/local/lib/service-mgr
touch /usr/local/bin/node
mount --bind "$3" /usr/local/bin/node
for name in ${daemons.join(' ')}; do
  ln -s "/usr/local/lib/service-mgr/$name.cjs" "/usr/local/bin/$name"
  [ ! -e "$4/conf/$name.conf" ] || install -D -m 644 "$4/conf/$name.conf" "/etc/service-mgr/$name.conf"
done
echo furnished
sleep 2147483 & wait
`;

/**
 * Namespaces in which /etc is a copy, /run, /var/log, /var/lib and /usr/local are empty but for the built programs and
 * the shipped configuration, the network is a loopback, and every process ends with `cleanUp()`.
 */
export async function startPrivateRoot(): Promise<PrivateRoot> {
  if (process.getuid?.() !== 0) throw new Error('a test with a root of its own has to run as root');
  const folder = temporaryFolder();
  const dist = dirname(built('service-mgrd'));
  const namespaces = ['--pid', '--fork', '--kill-child', '--mount', '--mount-proc', '--net', '--ipc'];
  const line = ['sh', '-c', setUp, 'sh', folder, dist, process.execPath, resolve(top)];
  const program = startProgram('unshare', [...namespaces, ...line], { label: 'private root' });
  await program.waitForLine(/^furnished$/);
  const first = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').trim();
  const enter = ['--target', first, '--mount', '--pid', '--net', '--ipc', '--wd=/'];
  const run = (name: string, args: readonly string[], { env = {}, deadlineMs = 30_000 }: RunOptions = {}) =>
    runProgram('nsenter', [...enter, '--', name, ...args], { env, deadlineMs, label: name });
  const sh = async (command: string) => {
    const { code, stdout, stderr } = await run('sh', ['-c', command]);
    if (code !== 0) throw new Error(`${command}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    run,
    sh,
    async processes(pattern) {
      const shown = await sh('ps -e -o pid= -o stat= -o args=');
      const rows = Array.from(
        shown.matchAll(/^ *(\d+) +(\S+) +(.*)$/gm),
        ([, pid, state = '', args = '']) => {
          return { pid: Number(pid), state, args };
        },
      );
      const alive = rows.filter(({ state, args }) => !state.startsWith('Z') && pattern.test(args));
      return new Map(alive.map(({ pid, args }) => [pid, args]));
    },
  };
}
