import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Runit } from '../../../src/provider/runit.ts';
import { startRunit } from '../../e2e/harness/runit.ts';
import {
  filesInside,
  type Kind,
  killInside,
  mainProcess,
  pidsInside,
  processesInside,
} from './service-host.ts';

const services = {
  good: { run: `exec ${mainProcess}` },
  failing: {},
  hanging: { run: 'exec sleep 2147481', check: 'exec sleep 2147481' },
};

export const runit: Kind = {
  name: 'runit',
  providerName: 'runit',
  afterDeath: 'stopped',
  failure: { code: 1, stdout: 'timeout: down: FOLDER/failing: 1s, want up\n', stderr: '' },
  tellsMainPid: true,
  marksFailed: true,
  async open() {
    const namespace = await startRunit(services);
    const { serviceFolder } = namespace;
    const processes = processesInside(namespace);
    const files = filesInside(namespace);
    const sv = (action: string, name: string) => namespace.run('sv', action, join(serviceFolder, name));
    return {
      provider: new Runit({ processes, files, program: 'sv', serviceFolder, outputLimitBytes: 65_536 }),
      says: (name, action) => sv(action, name),
      pids: () => pidsInside(namespace),
      // Its supervisor would start it again.
      kill: async () => {
        await sv('once', 'good');
        await killInside(namespace);
      },
      isEnabled: async () => !existsSync(join(serviceFolder, 'good', 'down')),
    };
  },
};
