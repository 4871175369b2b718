import { Systemd } from '../../../src/provider/systemd.ts';
import { startSystemd } from '../../e2e/harness/namespaced-systemd.ts';
import { type Kind, killInside, mainProcess, pidsInside, processesInside } from './service-host.ts';

const units: Readonly<Record<string, string>> = {
  good: `[Service]\nExecStart=${mainProcess}\n[Install]\nWantedBy=multi-user.target\n`,
  failing: '[Service]\nType=oneshot\nExecStart=/bin/false\n',
  hanging: '[Service]\nType=oneshot\nExecStart=/bin/sleep 2147481\n',
};

export const systemd: Kind = {
  name: 'systemd',
  providerName: 'systemd',
  afterDeath: 'failed',
  failure: {
    code: 1,
    stdout: '',
    stderr:
      'Job for failing.service failed because the control process exited with error code.\n' +
      'See "systemctl status failing.service" and "journalctl -xeu failing.service" for details.\n',
  },
  tellsMainPid: true,
  marksFailed: true,
  async open() {
    const namespace = await startSystemd();
    for (const [name, unit] of Object.entries(units)) await namespace.install(name, unit);
    const processes = processesInside(namespace);
    return {
      provider: new Systemd({ processes, program: 'systemctl', outputLimitBytes: 65_536 }),
      says: (name, action) => namespace.run('systemctl', action, name),
      pids: () => pidsInside(namespace),
      kill: () => killInside(namespace),
      isEnabled: async () => (await namespace.run('systemctl', 'is-enabled', 'good')).code === 0,
    };
  },
};
