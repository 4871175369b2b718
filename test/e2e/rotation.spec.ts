import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ServiceManager } from '../../src/client/index.ts';
import { readSecretKeyFile } from '../../src/security/key-file.ts';
import { eventually } from '../fakes/eventually.ts';
import { CommandAgent, managerCommand, output, Person } from './harness/joined-fleet.ts';
import { cleanUp } from './harness/processes.ts';
import { clientOf, type SecuredManager, startSecuredManager } from './harness/secured-fleet.ts';
import { type ServiceProgram, serviceProgram } from './harness/service-program.ts';

const overlapMs = 8_000;

describe('a change of keys', function () {
  this.timeout(90_000);

  let manager: SecuredManager;
  let agent: CommandAgent;
  let service: ServiceProgram;

  beforeEach(async () => {
    manager = await startSecuredManager({ security: { requests_per_second: 10_000 } });
    service = serviceProgram();
    agent = await CommandAgent.create({ nodeName: 'web1', settings: { service_program: service.file } });
    const token = await output(managerCommand(manager, 'token', 'create', '--role', 'agent'));
    await output(agent.command('join', token, '--manager', manager.joinEndpoint));
    await agent.start();
    await manager.waitForSubscribers(1);
  });
  afterEach(cleanUp);

  async function joined(name: string): Promise<Person> {
    const person = new Person();
    const token = await output(managerCommand(manager, 'token', 'create', '--role', 'operator'));
    await output(person.client('join', token, '--name', name, '--manager', manager.joinEndpoint));
    return person;
  }

  /** One request after the other, each of which has to be answered, until `change` is over and as many more. */
  async function askDuring(client: ServiceManager, change: () => Promise<unknown>): Promise<number> {
    const before = service.runs().length;
    let sent = 0;
    let isOver = false;
    const over = change().finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let more = 0; more < 20; more += isOver ? 1 : 0) {
      const request = await client.send({
        topic: 'web1',
        action: 'restart',
        service: 'cron',
        windowMs: 10_000,
      });
      sent += 1;
      const answers = [];
      for await (const answer of request) answers.push(answer);
      expect(answers, `request ${sent}`).to.have.nested.property('[0].result.returncode', 0);
    }
    await over;
    expect(service.runs().length - before, 'runs of the script').to.equal(sent);
    return sent;
  }

  it('of the manager goes by without a request that fails, and everybody knows it by the new one then', async () => {
    const alice = await joined('alice');
    const before = manager.keys.publicKey;
    const sent = await askDuring(clientOf(await manager.enrol('operator', 'bob')), async () => {
      await output(managerCommand(manager, 'keys', 'rotate', '--overlap', `${overlapMs / 1_000}s`));
      await eventually(() => manager.keys.publicKey !== before, 'the new key', 2 * overlapMs);
      await eventually(() => manager.events('socket.reopened').length >= 6, 'all doors', overlapMs);
    });
    expect(sent).to.be.above(20);
    // The agent has kept it, and comes in after a restart of both.
    await manager.restart();
    await agent.restart();
    await manager.waitForSubscribers(1);
    const known = readFileSync(join(agent.stateDir, 'managers', 'mgr1.manager'), 'utf8');
    expect(known).to.include(manager.keys.publicKey).and.not.include(before);
    expect(manager.audited('key.rotated')).to.have.lengthOf(1);
    // She was away all the time, and is told what to do.
    const away = await alice.client('-T', 'any', '-c', 'status', '-s', 'cron');
    expect(away.code, away.stderr).to.equal(69);
    const token = await output(
      managerCommand(manager, 'token', 'create', '--role', 'operator', '--name', 'alice'),
    );
    const rejoin = ['join', token, '--manager', manager.joinEndpoint];
    const file = join(alice.keyDir, 'managers', 'mgr1.manager');
    // It might be somebody who only calls himself so.
    const refused = await alice.client(...rejoin);
    expect([refused.code, refused.stderr]).to.satisfy(([code, text]: [number, string]) => {
      return code === 77 && text.includes(`remove ${file}, and join again`);
    });
    rmSync(file);
    await output(alice.client(...rejoin));
    const back = await alice.client('-T', 'any', '-c', 'status', '-s', 'cron');
    expect(back.code, back.stderr).to.equal(0);
  });

  it('of an agent goes by without a request that fails', async () => {
    const keyFile = join(agent.stateDir, 'agent.key');
    const own = () => readSecretKeyFile(readFileSync(keyFile, 'utf8'), keyFile).curve.publicKey;
    const before = own();
    await askDuring(clientOf(await manager.enrol('operator', 'bob')), async () => {
      await output(agent.command('keys', 'rotate'));
    });
    expect(own()).to.not.equal(before);
    await agent.restart();
    await manager.waitForSubscribers(1);
    const keys = await output(managerCommand(manager, 'keys', 'list'));
    expect(keys).to.include('retiring');
  });

  it('of an operator goes by without a request that fails, and the old one is good no longer than an hour', async () => {
    const alice = await joined('alice');
    const ask = async () => {
      const run = await alice.client('-T', 'any', '-c', 'status', '-s', 'cron');
      expect(run.code, run.stderr).to.equal(0);
    };
    await ask();
    const before = await output(alice.client('keys', 'show', '--public'));
    await Promise.all([output(alice.client('keys', 'rotate')), ask(), ask()]);
    await ask();
    expect(await output(alice.client('keys', 'show', '--public'))).to.not.equal(before);
    expect(await output(managerCommand(manager, 'keys', 'list', '--state', 'retiring'))).to.include('alice');
  });
});
