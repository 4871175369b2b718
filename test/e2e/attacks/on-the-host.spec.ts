import { chmodSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { built } from '../harness/daemon.ts';
import { runClient } from '../harness/fleet.ts';
import { cleanUp, runProgram } from '../harness/processes.ts';
import {
  clientArgs,
  clientOf,
  newName,
  type SecuredAgent,
  type SecuredManager,
  startSecuredAgent,
  startSecuredManager,
} from '../harness/secured-fleet.ts';
import { serviceProgram } from '../harness/service-program.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';

type Spoil = readonly [what: string, spoil: (keyFile: string) => void, complaint: string];

const spoilt: readonly Spoil[] = [
  ['that everybody may read', (keyFile) => chmodSync(keyFile, 0o644), 'mode'],
  ['that its group may read', (keyFile) => chmodSync(keyFile, 0o640), 'mode'],
  ['that is a symbolic link', intoALink, 'link'],
];

describe('somebody who has a place on the host', function () {
  this.timeout(60_000);

  let manager: SecuredManager;

  before(async () => {
    manager = await startSecuredManager();
  });
  after(cleanUp);

  for (const [what, spoil, complaint] of spoilt) {
    it(`cannot make a manager use a key file ${what}`, async () => {
      const victim = await startSecuredManager();
      await victim.stop();
      spoil(join(victim.stateDir, 'manager.key'));
      expectRefusal(await started('service-mgrd', victim), complaint);
    });

    it(`cannot make an agent use a key file ${what}`, async () => {
      const victim = await startSecuredAgent({ manager });
      await victim.stop();
      spoil(join(victim.stateDir, 'agent.key'));
      expectRefusal(await started('service-mgr-agentd', victim), complaint);
    });

    it(`cannot make a client use a key file ${what}`, async () => {
      const [option = '', file = ''] = clientArgs(await manager.enrol('operator', newName('op')));
      const keyDir = /key_dir = (.*)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
      spoil(join(keyDir, 'client.key'));
      expectRefusal(await runClient([option, file, '-T', 'any', '-c', 'status', '-s', 'cron']), complaint);
    });
  }

  it('cannot make an agent believe in an operator whose key file everybody may write', async () => {
    const { keys } = await manager.enrol('operator', 'carol');
    const victim = await startSecuredAgent({ manager, operators: [keys] });
    await victim.stop();
    const folder = /operators_dir = (.*)/.exec(readFileSync(victim.configFile, 'utf8'))?.[1] ?? '';
    chmodSync(join(folder, 'carol.pub'), 0o666);
    expectRefusal(await started('service-mgr-agentd', victim), 'mode');
  });

  it('cannot smuggle anything to an action through the environment of the agent', async () => {
    const printed = join(temporaryFolder(), 'environment');
    const service = serviceProgram(`env >'${printed}'`);
    const evil = { BASH_ENV: '/tmp/evil', ENV: '/tmp/evil', PERL5LIB: '/tmp', IFS: 'x', SECRET_TOKEN: 's' };
    const dave = await manager.enrol('operator', 'dave');
    const agent = await startSecuredAgent({ manager, env: evil, serviceProgram: service.file });
    await manager.waitForSubscribers(1);
    const request = await clientOf(dave).send({ topic: agent.nodeName, action: 'status', service: 'cron' });
    for await (const answer of request) expect(answer).to.have.nested.property('result.returncode', 0);
    const names = readFileSync(printed, 'utf8')
      .split('\n')
      .map((line) => line.replace(/=.*/, ''));
    expect(names).to.include('PATH');
    expect(
      names.filter((name) => !/^(PATH|PWD|OLDPWD|SHLVL|_|LANG|LC_[A-Z]+|TERM|)$/.test(name)),
    ).to.deep.equal([]);
  });
});

function intoALink(keyFile: string): void {
  renameSync(keyFile, `${keyFile}.real`);
  symlinkSync(`${keyFile}.real`, keyFile);
}

function started(name: string, { configFile }: SecuredManager | SecuredAgent) {
  const args = [built(name), '-f', configFile, 'start'];
  return runProgram(process.execPath, args, { label: name, deadlineMs: 10_000 });
}

function expectRefusal({ code, stderr }: { code: number | null; stderr: string }, complaint: string): void {
  expect(code, stderr).to.equal(78);
  expect(stderr).to.include(complaint);
}
