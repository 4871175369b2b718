import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type RunningManager, startAgent, startManager } from '../harness/fleet.ts';
import type { Namespace } from '../harness/namespace.ts';
import { startSystemd } from '../harness/namespaced-systemd.ts';
import { startOpenRc } from '../harness/openrc.ts';
import { cleanUp } from '../harness/processes.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { ask, type Called, expectCalledRight } from './called.ts';
import { openRcZoo, systemdZoo, type Unit } from './units.ts';

interface Host extends Namespace {
  install(name: string, text: string): Promise<void> | void;
}

for (const [name, units, open, provider] of [
  ['systemd', systemdZoo, startSystemd, 'systemd'],
  ['OpenRC', openRcZoo, startOpenRc, 'openrc'],
] as const) {
  describe(`the zoo on ${name}`, function () {
    this.timeout(120_000);
    const visits = new Map<Unit, Promise<Called[]>>();

    before(async () => {
      const host: Host = await open();
      const manager = await startManager();
      const settings = { settle_time: 2, provider };
      await startAgent({ managers: [manager], nodeName: 'zoo', settings, within: host.within });
      await manager.waitForSubscribers(1);
      for (const unit of units) visits.set(unit, visit(manager, unit, await installed(host, unit)));
      await Promise.allSettled(visits.values());
    });
    after(cleanUp);

    for (const unit of units) {
      const calls = unit.calls.map(({ action, outcome }) => `${action} ${outcome}`);
      it(`${unit.name}: ${calls.join(', ')}`, async () => {
        for (const called of (await visits.get(unit)) ?? []) expectCalledRight(called);
      });
    }
  });
}

async function installed(host: Host, { text }: Unit): Promise<string> {
  const name = `smtest-${randomBytes(4).toString('hex')}`;
  await host.install(name, text.replaceAll('FLAG', join(temporaryFolder(), 'flag')));
  return name;
}

async function visit(manager: RunningManager, { calls }: Unit, name: string): Promise<Called[]> {
  const called: Called[] = [];
  for (const call of calls) called.push(await ask(manager, name, call));
  return called;
}
