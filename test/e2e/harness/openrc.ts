import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Namespace, startNamespace } from './namespace.ts';

/** OpenRC as if it had booted this host: with its own services, runlevels, /run and processes. */
export interface OpenRc extends Namespace {
  /** Gives it a service script, without its first line. */
  install(name: string, script: string): void;
}

// What OpenRC makes in /run at boot. Without them it takes every service for one that is being started.
const stateFolders =
  'daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive';

const script = `
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/init.d
mount -t tmpfs tmpfs /etc/runlevels
mkdir -p /run/lock /run/openrc /etc/runlevels/default
for folder in ${stateFolders}; do mkdir "/run/openrc/$folder"; done
echo default >/run/openrc/softlevel
ready
# The first process has to reap what the others leave behind.
while :; do sleep 2147483 & wait "$!"; done
`;

/** `cleanUp()` ends all of its services with it. */
export async function startOpenRc(): Promise<OpenRc> {
  const namespace = await startNamespace('OpenRC', script, ['rc-service', 'rc-status', 'openrc-run']);
  return {
    ...namespace,
    install: (name, body) => {
      const file = join(namespace.root, 'etc/init.d', name);
      writeFileSync(file, `#!/sbin/openrc-run\n${body}`, { mode: 0o755 });
    },
  };
}
