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

/** Only where the program lies is not as in a package. */
export async function installDebian(host: PrivateRoot): Promise<void> {
  for (const name of ['service-mgrd', 'service-mgr-agentd']) {
    await host.sh(`install -m 755 ${top}init.d/Debian/${name} /etc/init.d/${name}`);
    await host.sh(`echo DAEMON=/usr/local/bin/${name} >/etc/default/${name}`);
  }
}

export async function pidIn(host: PrivateRoot, { pidFile }: Instance): Promise<number> {
  return Number(await host.sh(`cat ${pidFile}`));
}
