import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../fakes/eventually.ts';
import { newCgroup } from './namespaced-systemd.ts';
import { type Ended, runProgram, startProgram } from './processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** This host over again, to install something on: what is written there is seen by nobody else and goes with it. */
export interface OverlayRoot {
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Runs a script of sh, in a folder, and resolves with what it printed; throws when it fails. */
  sh(script: string, options?: RunOptions): Promise<string>;
  /** Every file, link and folder that is not as it was at the beginning, by its path. */
  changes(): string[];
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const deadlineMs = 60_000;

/** Of whoever runs programs there. */
export const home = '/home/admin';

const furnish = `
set -e
ip link set lo up
mount -t tmpfs -o mode=755 layers "$1"
mkdir "$1/upper" "$1/work" "$1/root"
chmod 755 "$1/upper"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs -o mode=755 run run
mkdir run/lock run/upper
mkdir -p .${home}
mount --bind "$1/upper" run/upper
# A host on which services may be started. What dpkg would do for man(1) takes longer than all the rest.
rm -f usr/sbin/policy-rc.d var/lib/man-db/auto-update
`;

// The first process also takes in the dead whose parents are gone, as init does.
const withoutInit = `${furnish}
echo furnished
sleep 2147483 & wait
`;

// It knows the units of this host, and has no reason to start one of them.
const withSystemd = `cgroup=$2
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$cgroup"
echo 0 >"/sys/fs/cgroup/$cgroup/cgroup.procs"
umount /sys/fs/cgroup
${furnish}
mount --rbind /sys sys
mkdir -p run/systemd/system
rm -rf usr/lib/systemd/system/*.wants usr/lib/systemd/system-generators/* etc/systemd/system/*
for target in sysinit basic shutdown multi-user network-online; do
  printf '[Unit]\\nDefaultDependencies=no\\n' >"etc/systemd/system/$target.target"
done
mount --bind /dev/null dev/console
export container=other
echo furnished
exec unshare --cgroup sh -c 'mount -t cgroup2 cgroup2 sys/fs/cgroup &&
  exec chroot . /lib/systemd/systemd --system --unit=multi-user.target --log-target=null'
`;

/** Namespaces of its own for files, processes and network; ended by `cleanUp()`. */
export async function startOverlayRoot(init: 'none' | 'systemd' = 'none'): Promise<OverlayRoot> {
  if (process.getuid?.() !== 0) throw new Error('a test that installs a package has to run as root');
  const folder = temporaryFolder();
  const [script, args] = init === 'none' ? [withoutInit, []] : [withSystemd, [newCgroup()]];
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--net', '--ipc', '--uts'];
  const line = [...namespaces, 'sh', '-c', script, 'sh', folder, ...args];
  const program = startProgram('unshare', line, { label: 'overlay root' });
  await program.waitForLine(/^furnished$/);
  const first = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').trim();
  const enter = ['--target', first, '--mount', '--pid', '--net', '--ipc', '--uts', '--wd=/'];
  const run = (name: string, words: readonly string[], { cwd = '/', env = {} }: RunOptions = {}) => {
    const inside = ['env', '-C', cwd, name, ...words];
    const command = [...enter, '--', 'chroot', join(folder, 'root'), ...inside];
    const whole = { HOME: home, XDG_CONFIG_HOME: undefined, ...env };
    return runProgram('nsenter', command, { env: whole, deadlineMs, label: name });
  };
  if (init === 'systemd') {
    const isUp = async () => (await run('systemctl', ['is-system-running'])).stdout === 'running\n';
    await eventually(isUp, 'systemd takes orders', 20_000);
  }
  const upper = join(`/proc/${first}/root`, init === 'systemd' ? '/' : join(folder, 'root'), 'run/upper');
  const furniture = new Set(changesIn(upper, '/'));
  return {
    run,
    async sh(command, options) {
      const { code, stdout, stderr } = await run('sh', ['-ec', command], options);
      if (code !== 0) throw new Error(`${command}: exit code ${code}\n${stdout}${stderr}`);
      return stdout;
    },
    changes: () => changesIn(upper, '/').filter((path) => !furniture.has(path)),
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
