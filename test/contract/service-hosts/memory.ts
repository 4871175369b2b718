import { MemoryProvider } from '../../fakes/memory-provider.ts';
import type { Kind } from './service-host.ts';

export const memory: Kind = {
  name: 'MemoryProvider',
  providerName: 'memory',
  afterDeath: 'failed',
  failure: { code: 1, stdout: '', stderr: 'failed\n' },
  tellsMainPid: true,
  marksFailed: true,
  async open() {
    const provider = new MemoryProvider();
    const good = provider.add('good');
    provider.add('failing', 'fails');
    provider.add('hanging', 'hangs');
    return {
      provider,
      says: async (name, action) => ({ stdout: '', stderr: '', ...provider.say(name, action) }),
      pids: async () => (good.mainPid === undefined ? [] : [good.mainPid]),
      kill: async () => provider.kill('good'),
      isEnabled: async () => good.isEnabled,
    };
  },
};
