import { expect } from 'chai';
import { type Instance, installDebian, instanceOf, pidIn } from '../e2e/harness/init-scripts.ts';
import { joinInstalled } from '../e2e/harness/joined-host.ts';
import { type PrivateRoot, startPrivateRoot } from '../e2e/harness/private-root.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import { eventually } from '../fakes/eventually.ts';
import { often, say, spread, spreadOf } from './rounds.ts';

const rounds = often(2, 100);
const instances = [instanceOf('service-mgrd'), instanceOf('service-mgr-agentd')];

describe('a daemon that is started and stopped by its Debian init script', function () {
  this.timeout(often(60_000, 1_800_000));
  let host: PrivateRoot;

  before(async () => {
    host = await startPrivateRoot();
    await installDebian(host);
    await host.sh('service service-mgrd start');
    await joinInstalled(host);
    await host.sh('service service-mgrd stop');
  });
  after(cleanUp);

  for (const instance of instances) {
    it(`has the right exit code each time, and leaves nothing behind: ${instance.name}`, async () => {
      const tookMs: Record<string, number[]> = { start: [], stop: [], 'start after kill -9': [] };
      for (let round = 0; round < rounds; round += 1) {
        const isKilled = round % 2 === 1;
        tookMs['start']?.push(await told(host, instance, 'start', 0));
        await expectOne(host, instance);
        expect(await codeOf(host, instance, 'start')).to.equal(0);
        if (isKilled) tookMs['start after kill -9']?.push(await killAndStart(host, instance, round));
        await expectOne(host, instance);
        tookMs['stop']?.push(await told(host, instance, 'stop', 0));
        await told(host, instance, 'status', 3);
        expect(await host.pidsOf(instance.pattern), 'orphans').to.deep.equal([]);
        expect(await host.run('test', '-e', instance.pidFile)).to.include({ code: 1 });
      }
      const times = Object.entries(tookMs).map(([what, ms]) => `${what} ${spreadOf(ms)}`);
      say(`      ${instance.name}: ${rounds} rounds; ${times.join('; ')}`);
    });
  }
});

/** Kills it at a different moment each time, also while it is only just serving. */
async function killAndStart(host: PrivateRoot, instance: Instance, round: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, spread(round, 300)));
  await host.sh(`kill -9 ${await pidIn(host, instance)}`);
  await eventually(async () => (await host.pidsOf(instance.pattern)).length === 0, 'it is gone');
  await told(host, instance, 'status', 1);
  return told(host, instance, 'start', 0);
}

async function expectOne(host: PrivateRoot, instance: Instance): Promise<void> {
  expect(await codeOf(host, instance, 'status')).to.equal(0);
  expect(await host.pidsOf(instance.pattern), 'instances').to.deep.equal([await pidIn(host, instance)]);
}

/** Resolves to how long it took. */
async function told(host: PrivateRoot, { name }: Instance, verb: string, code: number): Promise<number> {
  const ended = await host.run('service', name, verb);
  expect(ended.code, `${name} ${verb}: ${ended.stdout}${ended.stderr}`).to.equal(code);
  return ended.elapsedMs;
}

async function codeOf(host: PrivateRoot, { name }: Instance, verb: string): Promise<number | null> {
  return (await host.run('service', name, verb)).code;
}
