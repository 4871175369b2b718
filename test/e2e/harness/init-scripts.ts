import { fileURLToPath } from 'node:url';
import type { PrivateRoot } from './private-root.ts';

/** A daemon as its init script runs it. */
export interface Instance {
  readonly name: string;
  readonly pidFile: string;
  readonly logFile: string;
  /** Of its command line. */
  readonly pattern: RegExp;
}

const top = fileURLToPath(new URL('../../../', import.meta.url));

export function instanceOf(name: string): Instance {
  return {
    name,
    pidFile: `/var/run/service-mgr/${name}.pid`,
    logFile: `/var/log/service-mgr/${name}.log`,
    pattern: new RegExp(`node /usr/local/bin/${name} `),
  };
}

// Only where the programs lie is not as in a package.

export async function installDebian(host: PrivateRoot): Promise<void> {
  for (const name of ['service-mgrd', 'service-mgr-agentd']) {
    await host.sh(`install -m 755 ${top}init.d/Debian/${name} /etc/init.d/${name}`);
    await host.sh(`echo DAEMON=/usr/local/bin/${name} >/etc/default/${name}`);
  }
}

export async function installCentOs(host: PrivateRoot): Promise<void> {
  await host.sh(`install -D ${top}test/fakes/init/centos-functions /etc/rc.d/init.d/functions`);
  await host.sh('mkdir -p /etc/sysconfig');
  for (const name of ['service-mgrd', 'service-mgr-agentd']) {
    await host.sh(`install -m 755 ${top}init.d/CentOS/${name} /etc/rc.d/init.d/${name}`);
    await host.sh(`echo DAEMON=/usr/local/bin/${name} >/etc/sysconfig/${name}`);
  }
}

export async function installFreeBsd(host: PrivateRoot): Promise<void> {
  await host.sh(`install -D ${top}test/fakes/init/rc.subr /etc/rc.subr`);
  await host.sh(`install -D -m 755 ${top}test/fakes/init/pw /usr/local/sbin/pw`);
  for (const name of ['service_mgrd', 'service_mgr_agentd']) {
    await host.sh(`install -D -m 755 ${top}init.d/FreeBSD/${name} /usr/local/etc/rc.d/${name}`);
  }
}

export async function pidIn(host: PrivateRoot, { pidFile }: Instance): Promise<number> {
  return Number(await host.sh(`cat ${pidFile}`));
}
