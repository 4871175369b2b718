import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InitD } from '../../../src/provider/init-d.ts';
import { Service8 } from '../../../src/provider/service8.ts';
import { daemonBody, initScript } from '../../e2e/harness/init-script.ts';
import type { Namespace } from '../../e2e/harness/namespace.ts';
import { startSysvinit } from '../../e2e/harness/sysvinit.ts';
import {
  type Kind,
  killInside,
  pidsInside,
  processesInside,
  programsInside,
  type ServiceHost,
} from './service-host.ts';

const bodies: Readonly<Record<string, string>> = {
  good: daemonBody('</dev/null >/dev/null 2>&1'),
  failing: '[ "$1" = start ] || exit 3\necho tried\necho failed >&2\nexit 7',
  hanging: '[ "$1" = start ] || exit 3\nexec sleep 2147481',
  talking: "printf 'caf\\351 end\\n'",
};

const common = {
  afterDeath: 'failed',
  failure: { code: 7, stdout: 'tried\n', stderr: 'failed\n' },
  tellsMainPid: false,
  foreignBytes: 'talking',
} as const;

export const service8: Kind = {
  ...common,
  name: 'service(8) on init scripts',
  marksFailed: false,
  providerName: 'service(8)',
  async open() {
    const namespace = await startHost();
    const processes = processesInside(namespace);
    const provider = new Service8({
      ...{ processes, program: 'service', system: 'Linux', outputLimitBytes: 65_536 },
      bootLinks: 'update-rc.d',
    });
    return { ...host(namespace), provider, says: (name, action) => namespace.run('service', name, action) };
  },
};

export const initD: Kind = {
  ...common,
  name: 'init scripts without service(8)',
  marksFailed: true,
  providerName: 'init.d',
  async open() {
    const namespace = await startHost();
    const processes = processesInside(namespace);
    const provider = new InitD({
      ...{ processes, hostPrograms: programsInside(namespace), outputLimitBytes: 65_536 },
      ...{ serviceFolder: '/etc/init.d', bootLinks: 'update-rc.d' },
    });
    return {
      ...host(namespace),
      provider,
      says: (name, action) => namespace.run(`/etc/init.d/${name}`, action),
    };
  },
};

async function startHost(): Promise<Namespace> {
  const sysvinit = await startSysvinit();
  for (const [name, body] of Object.entries(bodies)) {
    await sysvinit.install(name, initScript(name, `/run/${name}.log`, `/run/${name}.pid`, body));
  }
  return sysvinit;
}

function host(namespace: Namespace): Omit<ServiceHost, 'provider' | 'says'> {
  return {
    pids: () => pidsInside(namespace),
    kill: () => killInside(namespace),
    isEnabled: async () =>
      readdirSync(join(namespace.root, 'etc/rc2.d')).some((link) => /^S\d\dgood$/.test(link)),
  };
}
