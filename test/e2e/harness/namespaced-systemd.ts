import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../fakes/eventually.ts';
import { type Namespace, startNamespace } from './namespace.ts';
import { onCleanUp } from './processes.ts';

/** A systemd that is no init of this host: it sees this host's files, but has its own units, /run and processes. */
export interface NamespacedSystemd extends Namespace {
  /** Gives it a unit, `NAME.service` if it has no suffix, and has it read its units again. */
  install(name: string, unit: string): Promise<void>;
}

const unitFolder = '/etc/systemd/system';
const cgroupFolder = '/sys/fs/cgroup';
const cgroups = new Set<string>();

process.once('exit', () => {
  for (const cgroup of cgroups) removeCgroup(cgroup);
});

/**
 * Starts systemd in namespaces, in about half a second, and waits until it takes orders. It knows no unit of this host, so none of them
 * can empty /tmp, mount or load anything. `cleanUp()` ends it and takes its control groups away.
 */
export async function startSystemd(): Promise<NamespacedSystemd> {
  removeLeftOvers();
  const cgroup = newCgroup();
  const programs = ['/lib/systemd/systemd', 'systemctl'];
  const namespace = await startNamespace('systemd', script(cgroup), programs);
  await eventually(
    async () => (await namespace.run('systemctl', 'is-system-running')).stdout === 'running\n',
    'systemd takes orders',
    10_000,
  );
  return {
    ...namespace,
    install: async (name, unit) => {
      const file = name.includes('.') ? name : `${name}.service`;
      writeFileSync(join(namespace.root, unitFolder, file), unit);
      const reload = await namespace.run('systemctl', 'daemon-reload');
      if (reload.code !== 0) throw new Error(`systemctl daemon-reload: ${reload.stderr}`);
    },
  };
}

// Two of them at a time would use the same groups, so each one gets a root of its own.
function script(cgroup: string): string {
  const cgroupMount = `mount -t cgroup2 cgroup2 ${cgroupFolder}`;
  const targets = ['sysinit', 'basic', 'shutdown', 'multi-user'].join(' ');
  return `
${cgroupMount}
mkdir ${cgroupFolder}/${cgroup}
echo 0 >${cgroupFolder}/${cgroup}/cgroup.procs
umount ${cgroupFolder}
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs ${unitFolder}
mount --bind /dev/null /dev/console
mkdir -p /run/systemd/system /run/lock
for target in ${targets}; do
  printf '[Unit]\\nDefaultDependencies=no\\n' >${unitFolder}/$target.target
done
export container=other
export SYSTEMD_UNIT_PATH=${unitFolder}:/run/systemd/system
export SYSTEMD_GENERATOR_PATH=/nowhere
export SYSTEMD_LOG_TARGET=null
ready
exec unshare --cgroup sh -c '${cgroupMount} && exec /lib/systemd/systemd --system --unit=multi-user.target'
`;
}

/** The name of a control group for one systemd, which `cleanUp()` takes away. */
export function newCgroup(): string {
  const cgroup = `smtest-${process.pid}-${randomBytes(4).toString('hex')}`;
  cgroups.add(cgroup);
  onCleanUp(() => removeCgroup(cgroup));
  return cgroup;
}

/** Of tests that were killed. */
function removeLeftOvers(): void {
  withCgroups(`for folder in ${cgroupFolder}/smtest-*-*; do
  [ -d "$folder" ] || continue
  pid=\${folder##*/smtest-}
  [ -d "/proc/\${pid%%-*}" ] || find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null
done`);
}

/** Also of a systemd that is only just being killed. */
function removeCgroup(cgroup: string): void {
  if (!cgroups.delete(cgroup)) return;
  const folder = `${cgroupFolder}/${cgroup}`;
  withCgroups(`for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ ! -d ${folder} ] || find ${folder} -depth -type d -exec rmdir {} + 2>/dev/null
  [ -d ${folder} ] || exit 0
  sleep 0.1
done
echo "${folder} is still in use" >&2
exit 1`);
}

/** Wherever this host has its control groups. */
function withCgroups(script: string): void {
  const lines = `mount -t cgroup2 cgroup2 ${cgroupFolder} || exit\n${script}`;
  execFileSync('unshare', ['--mount', 'sh', '-c', lines], { stdio: ['ignore', 'ignore', 'pipe'] });
}
