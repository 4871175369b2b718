import { OpenRc } from '../../../src/provider/openrc.ts';
import { startOpenRc } from '../../e2e/harness/openrc.ts';
import { type Kind, killInside, pidsInside, processesInside, processTableInside } from './service-host.ts';

const scripts: Readonly<Record<string, string>> = {
  // Under supervise-daemon(8), because OpenRC sees only of such a service that it has died.
  good: `supervisor=supervise-daemon
command=/bin/sleep
command_args_foreground=2147483
pidfile=/run/good.pid
`,
  failing: 'start() { echo tried; echo failed >&2; return 7; }\n',
  hanging: 'start() { exec sleep 2147481; }\n',
  talking: "status() { printf 'caf\\351 end\\n'; }\n",
};

export const openrc: Kind = {
  name: 'OpenRC',
  providerName: 'openrc',
  afterDeath: 'failed',
  failure: { code: 1, stdout: 'tried\n', stderr: 'failed\n * ERROR: failing failed to start\n' },
  tellsMainPid: true,
  marksFailed: true,
  foreignBytes: 'talking',
  async open() {
    const namespace = await startOpenRc();
    for (const [name, script] of Object.entries(scripts)) namespace.install(name, script);
    const processes = processesInside(namespace);
    const processTable = processTableInside(namespace);
    return {
      provider: new OpenRc({ processes, processTable, program: 'rc-service', outputLimitBytes: 65_536 }),
      says: (name, action) => namespace.run('rc-service', name, action),
      pids: () => pidsInside(namespace),
      // Its supervisor would start it again.
      kill: async () => {
        await namespace.run('pkill', '-KILL', '-x', 'supervise-daemo');
        await killInside(namespace);
      },
      isEnabled: async () => /good \| +default/.test((await namespace.run('rc-update', 'show')).stdout),
    };
  },
};
