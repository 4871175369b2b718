import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { type Ended, runProgram, startProgram } from './processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** This host over again, to install something on: what is written there is seen by nobody else and goes with it. */
export interface OverlayRoot {
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Runs a script of sh, in a folder, and resolves with what it printed; throws when it fails. */
  sh(script: string, options?: RunOptions): Promise<string>;
  /** Every file, link and folder that is not as it is on the host, by its path. */
  changes(): string[];
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const deadlineMs = 60_000;

// The first process also takes in the dead whose parents are gone, as init does.
const setUp = `
set -e
ip link set lo up
mount -t tmpfs -o mode=755 layers "$1"
mkdir "$1/upper" "$1/work" "$1/root"
chmod 755 "$1/upper"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs -o mode=755 run "$1/root/run"
mkdir "$1/root/run/lock"
# A host on which services may be started.
rm -f "$1/root/usr/sbin/policy-rc.d"
echo furnished
sleep 2147483 & wait
`;

/** Namespaces of its own for files, processes and network; ended by `cleanUp()`. */
export async function startOverlayRoot(): Promise<OverlayRoot> {
  if (process.getuid?.() !== 0) throw new Error('a test that installs a package has to run as root');
  const folder = temporaryFolder();
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--net', '--ipc', '--uts'];
  const line = [...namespaces, 'sh', '-c', setUp, 'sh', folder];
  const program = startProgram('unshare', line, { label: 'overlay root' });
  await program.waitForLine(/^furnished$/);
  const first = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').trim();
  const enter = ['--target', first, '--mount', '--pid', '--net', '--ipc', '--uts', '--wd=/'];
  const run = (name: string, args: readonly string[], { cwd = '/', env = {} }: RunOptions = {}) => {
    const inside = ['env', '-C', cwd, name, ...args];
    const command = [...enter, '--', 'chroot', join(folder, 'root'), ...inside];
    return runProgram('nsenter', command, { env, deadlineMs, label: name });
  };
  return {
    run,
    async sh(script, options) {
      const { code, stdout, stderr } = await run('sh', ['-ec', script], options);
      if (code !== 0) throw new Error(`${script}: exit code ${code}\n${stdout}${stderr}`);
      return stdout;
    },
    changes: () => changesIn(join(`/proc/${first}/root`, folder, 'upper'), '/'),
  };
}

function changesIn(upper: string, folder: string): string[] {
  return readdirSync(join(upper, folder)).flatMap((name) => {
    const path = join(folder, name);
    const [own, host] = [lstatSync(join(upper, path)), statOf(path)];
    // A character device stands for something that was taken away.
    if (own.isCharacterDevice()) return host === undefined ? [] : [path];
    if (!own.isDirectory()) return host === undefined || isChanged(upper, path, own, host) ? [path] : [];
    return [...(host === undefined ? [path] : []), ...changesIn(upper, path)];
  });
}

function isChanged(upper: string, path: string, own: Stats, host: Stats): boolean {
  if (own.mode !== host.mode || own.uid !== host.uid || own.gid !== host.gid) return true;
  if (own.isSymbolicLink()) return readlinkSync(join(upper, path)) !== readlinkSync(path);
  return own.isFile() && !readFileSync(join(upper, path)).equals(readFileSync(path));
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
