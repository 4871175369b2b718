import { cpSync } from 'node:fs';
import { expect } from 'chai';
import { sleep } from '../../src/platform/clock.ts';
import { nodeClock } from '../../src/platform/node/clock.ts';
import type { Answer } from '../../src/wire/result.ts';
import { eventually } from '../fakes/eventually.ts';
import { CommandAgent, managerCommand, output, Person } from './harness/joined-fleet.ts';
import { isObject, type JsonObject } from './harness/management.ts';
import { cleanUp } from './harness/processes.ts';
import {
  clientOf,
  type SecuredManager,
  startSecuredAgent,
  startSecuredManager,
} from './harness/secured-fleet.ts';
import { serviceProgram } from './harness/service-program.ts';

const fingerprintForm = /SHA256:[A-Za-z0-9+/]{43}/;

describe('joining a manager', function () {
  this.timeout(60_000);

  let manager: SecuredManager;

  beforeEach(async () => {
    manager = await startSecuredManager();
  });
  afterEach(cleanUp);

  async function listed(...more: readonly string[]): Promise<JsonObject[]> {
    const text = await output(managerCommand(manager, 'keys', 'list', '--format', 'json', ...more));
    const keys: unknown = JSON.parse(text);
    return (Array.isArray(keys) ? keys : []).filter(isObject);
  }

  async function fingerprintOf(name: string): Promise<string> {
    return String((await listed()).find((key) => key['name'] === name)?.['fingerprint']);
  }

  function newAgent(nodeName: string): Promise<CommandAgent> {
    return CommandAgent.create({ nodeName, settings: { service_program: serviceProgram().file } });
  }

  it('takes a token for each, and then the agent answers', async () => {
    const person = new Person();
    const made = managerCommand(manager, 'token', 'create', '--role', 'operator');
    const ofOperator = await output(made);
    const { port } = new URL(manager.joinEndpoint);
    expect((await made).stderr).to.include(`join TOKEN --manager tcp://HOST:${port}\n`);
    await output(person.client('join', ofOperator, '--name', 'alice', '--manager', manager.joinEndpoint));
    const ofAgent = await output(managerCommand(manager, 'token', 'create', '--role', 'agent'));
    const agent = await newAgent('web1');
    await output(agent.command('join', ofAgent, '--manager', manager.joinEndpoint));
    await agent.start();
    await manager.waitForSubscribers(1);
    const run = await person.client('-T', 'any', '-c', 'status', '-s', 'cron');
    expect(run.code, run.stderr).to.equal(0);
    expect(run.answers()).to.have.nested.property('[0].result.node', 'web1');
    const [{ fields } = {}] = manager.audited('request.accepted');
    expect(fields).to.include({ operator: 'alice', action: 'status', target: 'any' });
    expect((await listed()).map(({ role, name, state }) => [role, name, state])).to.have.deep.members([
      ['operator', 'alice', 'accepted'],
      ['agent', 'web1', 'accepted'],
    ]);
  });

  it('without a token waits until somebody has compared the fingerprints and accepts', async () => {
    const agent = await newAgent('web1');
    const key = /smk1-\S+/.exec(await output(managerCommand(manager, 'keys', 'show')))?.[0] ?? '';
    const knock = ['join', '--manager', manager.joinEndpoint, '--manager-key', key];
    const once = await agent.command(...knock);
    expect(once.code, once.stderr).to.equal(75);
    const shown = fingerprintForm.exec(once.stderr)?.[0];
    const waiting = agent.command(...knock, '--wait', '20s');
    const [pending] = await listed('--state', 'pending');
    expect(pending).to.include({ role: 'agent', name: 'web1', address: '127.0.0.1', fingerprint: shown });
    // A beginning will do.
    await output(managerCommand(manager, 'keys', 'accept', String(shown).slice('SHA256:'.length, 18)));
    await output(waiting);
    await agent.start();
    await manager.waitForSubscribers(1);
  });

  it('is over for a key that somebody has rejected', async () => {
    const agent = await newAgent('web1');
    const key = /smk1-\S+/.exec(await output(managerCommand(manager, 'keys', 'show')))?.[0] ?? '';
    const knock = ['join', '--manager', manager.joinEndpoint, '--manager-key', key];
    expect((await agent.command(...knock)).code).to.equal(75);
    await output(managerCommand(manager, 'keys', 'reject', await fingerprintOf('web1')));
    const again = await agent.command(...knock);
    expect([again.code, again.stderr]).to.satisfy(([code, text]: [number, string]) => {
      return code === 77 && text.includes('KEY_REFUSED');
    });
  });

  it('of another manager than the one that is expected fails, and nothing is told to it', async () => {
    const other = await startSecuredManager();
    const agent = await newAgent('web1');
    const token = await output(managerCommand(other, 'token', 'create', '--role', 'agent'));
    const { code, stderr } = await agent.command('join', token, '--manager', manager.joinEndpoint);
    expect(code, stderr).to.equal(69);
    expect(await listed()).to.deep.equal([]);
  });

  it('of a cloned machine is refused and reported, and the name is free when its owner is revoked and removed', async () => {
    const create = ['token', 'create', '--role', 'agent', '--uses', '3'];
    const token = await output(managerCommand(manager, ...create));
    const [first, clone] = [await newAgent('web1'), await newAgent('web1')];
    await output(first.command('join', token, '--manager', manager.joinEndpoint));
    const refused = await clone.command('join', token, '--manager', manager.joinEndpoint);
    expect(refused.code, refused.stderr).to.equal(77);
    expect(refused.stderr).to.include('is this a cloned machine?');
    const table = await output(managerCommand(manager, 'keys', 'list'));
    expect(table).to.include('web1');
    expect(await listed()).to.have.nested.property('[0].refusedOthers', 1);
    const owner = await fingerprintOf('web1');
    await output(managerCommand(manager, 'keys', 'revoke', owner));
    expect((await clone.command('join', token, '--manager', manager.joinEndpoint)).code).to.equal(77);
    await output(managerCommand(manager, 'keys', 'remove', owner));
    await output(clone.command('join', token, '--manager', manager.joinEndpoint));
  });

  it('does not make two machines with one key: both are found, also while they are at work, and neither is served', async () => {
    const alice = clientOf(await manager.enrol('operator', 'alice'));
    const member = await manager.enrol('agent', 'web1');
    const { file } = serviceProgram();
    const start = () => startSecuredAgent({ manager, member, nodeName: 'web1', serviceProgram: file });
    const ask = async () => {
      // So that it is not asked more often than an operator may.
      await sleep(nodeClock, 50);
      const request = await alice.send({ topic: 'any', action: 'restart', service: 'cron', settleMs: 0 });
      const answers: Answer[] = [];
      for await (const answer of request) answers.push(answer);
      return answers.map((answer) => ('code' in answer ? answer.code : 'done'));
    };
    await start();
    await manager.waitForSubscribers(1);
    expect(await ask()).to.deep.equal(['done']);
    const clone = await start();
    await eventually(
      async () => {
        await ask();
        return (await alice.history.nodes()).nodes[0]?.conflictingAgents === 2;
      },
      'both are found',
      30_000,
    );
    expect(await ask()).to.deep.equal(['NAME_CONFLICT']);
    await clone.stop();
    await eventually(async () => (await ask())[0] === 'done', 'the one that is left is served', 30_000);
  });

  it('is of one name: with the keys of another node an agent does not start', async () => {
    const agent = await newAgent('web1');
    const token = await output(managerCommand(manager, 'token', 'create', '--role', 'agent'));
    await output(agent.command('join', token, '--manager', manager.joinEndpoint));
    const renamed = await newAgent('web2');
    cpSync(agent.stateDir, renamed.stateDir, { recursive: true });
    const { code, stderr } = await renamed.command('start');
    expect(code, stderr).to.equal(78);
    expect(stderr).to.include('this node is called web2');
    expect(stderr).to.include('has the keys of web1');
  });

  it('comes before the start: an agent that has joined nobody says what to do, and does not start', async () => {
    const agent = await newAgent('web1');
    const { code, stderr } = await agent.command('start');
    expect(code, stderr).to.equal(78);
    expect(stderr).to.include('service-mgr-agentd join TOKEN --manager tcp://HOST');
  });

  it('of a second manager adds it, and both are served', async () => {
    const second = await startSecuredManager({ security: { name: 'mgr2' } });
    const agent = await newAgent('web1');
    for (const one of [manager, second]) {
      const token = await output(managerCommand(one, 'token', 'create', '--role', 'agent'));
      await output(agent.command('join', token, '--manager', one.joinEndpoint));
    }
    await agent.start();
    await Promise.all([manager.waitForSubscribers(1), second.waitForSubscribers(1)]);
    const shown = await output(agent.command('keys', 'show'));
    expect(shown).to.include('mgr1').and.include('mgr2');
  });

  it('counts from the next message on when it is taken back, and the node is lost', async () => {
    const agent = await newAgent('web1');
    const token = await output(managerCommand(manager, 'token', 'create', '--role', 'agent'));
    await output(agent.command('join', token, '--manager', manager.joinEndpoint));
    await agent.start();
    await manager.waitForSubscribers(1);
    await output(managerCommand(manager, 'keys', 'revoke', await fingerprintOf('web1')));
    await eventually(async () => {
      const { counters } = await manager.status();
      return isObject(counters) && counters['agents'] === 0;
    }, 'the agent is out');
  });
});
