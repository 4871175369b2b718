import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Namespace, reap, startNamespace } from './namespace.ts';

/** A host of init scripts and service(8), as if there were no other one: with its own /etc/init.d, /run and processes. */
export interface Sysvinit extends Namespace {
  /** Gives it an init script, that may be started at boot but is not. */
  install(name: string, script: string): Promise<void>;
}

// Without what other packages add to update-rc.d(8): insserv(8) wants the scripts of a whole host.
const script = `
mount -t tmpfs tmpfs /run
mkdir /run/lock
mount -t tmpfs tmpfs /etc/init.d
for folder in /etc/rc?.d; do
  [ ! -d "$folder" ] || mount -t tmpfs tmpfs "$folder"
done
for program in insserv openrc; do
  [ ! -e "/usr/sbin/$program" ] || mount --bind /dev/null "/usr/sbin/$program"
done
${reap}`;

/** `cleanUp()` ends all of its services with it. */
export async function startSysvinit(): Promise<Sysvinit> {
  const namespace = await startNamespace('init scripts', script, ['service', 'update-rc.d']);
  return {
    ...namespace,
    install: async (name, text) => {
      const file = join(namespace.root, 'etc/init.d', name);
      writeFileSync(file, text.replace(/^# Default-Start:\s*$/m, '# Default-Start: 2 3 4 5'), {
        mode: 0o755,
      });
      const links = await namespace.run('update-rc.d', name, 'defaults-disabled');
      if (links.code !== 0) throw new Error(`update-rc.d ${name} defaults-disabled: ${links.stderr}`);
    },
  };
}
