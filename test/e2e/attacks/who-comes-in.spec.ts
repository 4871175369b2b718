import { expect } from 'chai';
import { Dealer } from 'zeromq';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { eventually } from '../../fakes/eventually.ts';
import { runClient } from '../harness/fleet.ts';
import { isObject, type JsonObject } from '../harness/management.ts';
import { cleanUp } from '../harness/processes.ts';
import {
  clientArgs,
  clientOf,
  type Member,
  newName,
  type SecuredManager,
  securityOf,
  startSecuredAgent,
  startSecuredManager,
} from '../harness/secured-fleet.ts';
import { ask, bodyOf, entry, signed } from './attacker.ts';

const status = JSON.stringify({ cmd: 'manager.status' });
const v1Request = JSON.stringify({ cmd: 'status', topic: 'any', service: 'cron' });

describe('somebody who should not come in', function () {
  this.timeout(60_000);

  let manager: SecuredManager;
  let alice: Member;
  let agent: Member;

  before(async () => {
    manager = await startSecuredManager();
    alice = await manager.enrol('operator', 'alice');
    agent = await manager.enrol('agent', 'web1');
    await startSecuredAgent({ manager, nodeName: 'web1', member: agent });
    await manager.waitForSubscribers(1);
  });
  after(cleanUp);

  async function refusedHandshakes(): Promise<number> {
    const { counters } = await manager.status();
    return isObject(counters) ? Number(counters['handshakesRefused']) : Number.NaN;
  }

  /** Fields of what the audit log says of refused handshakes. */
  function audited(): JsonObject[] {
    return manager.audited('handshake.refused').map(({ fields }) => (isObject(fields) ? fields : {}));
  }

  /** The refusal was counted, and stands in the audit log by its reason. */
  async function expectNoted(before: number, door: string, reason: string): Promise<void> {
    const isThere = () => audited().some((line) => line['door'] === door && line['reason'] === reason);
    await eventually(isThere, `an audited refusal: ${door} ${reason}`);
    expect(await refusedHandshakes()).to.be.above(before);
  }

  it('without a key gets no answer anywhere', async () => {
    const before = await refusedHandshakes();
    const { frontend, mgmt } = manager.endpoints;
    for (const endpoint of [frontend, mgmt, manager.joinEndpoint])
      expect(await ask(endpoint, v1Request, undefined, 500)).to.deep.equal({ failure: 'silence' });
    for (const endpoint of [manager.endpoints.sink, manager.endpoints.backend]) {
      const socket = new Dealer({ linger: 0, sendTimeout: 500 });
      const events = socket.events;
      socket.connect(endpoint);
      const failed = (async () => {
        for await (const { type } of events) if (type.startsWith('handshake:error')) return type;
        return 'none';
      })();
      expect(await failed).to.match(/^handshake:error/);
      socket.close();
    }
    await eventually(async () => (await refusedHandshakes()) > before, 'a count');
    expect(audited().length).to.be.above(0);
  });

  it('with a client of 2014 gets no answer, and its request is not run', async () => {
    const run = await runClient([
      ...['-e', manager.endpoints.frontend, '-t', '300', '-r', '1'],
      ...['-T', 'any', '-c', 'status', '-s', 'cron'],
    ]);
    expect(run.code, run.stderr).to.equal(69);
    expect(run.stdout).to.equal('');
  });

  it('who expects another manager is told nothing, and tells nothing', async () => {
    const before = await refusedHandshakes();
    const other = newCurveKeys().publicKey;
    const fate = await ask(manager.endpoints.frontend, v1Request, securityOf(alice.keys.curve, other));
    expect(fate).to.deep.equal({ failure: 'cut off' });
    await expectNoted(before, 'frontend', 'wrong server key');
  });

  it('with a key that nobody knows is refused at each socket', async () => {
    const before = await refusedHandshakes();
    const security = securityOf(newCurveKeys(), manager.keys.publicKey);
    const { frontend, mgmt, backend, sink, publisher } = manager.endpoints;
    for (const endpoint of [frontend, mgmt])
      expect(await ask(endpoint, status, security)).to.deep.equal({ failure: 'refused' });
    expect(await entry('subscriber', backend, security)).to.equal('refused');
    expect(await entry('subscriber', publisher, security)).to.equal('refused');
    expect(await entry('push', sink, security)).to.equal('refused');
    for (const door of ['frontend', 'management', 'backend', 'publisher', 'sink'])
      await expectNoted(before, door, 'unknown key');
  });

  it('who is an agent is refused where operators come in, and cannot listen to the answers of others', async () => {
    const before = await refusedHandshakes();
    const security = securityOf(agent.keys.curve, manager.keys.publicKey);
    const { frontend, publisher, mgmt } = manager.endpoints;
    expect(await ask(frontend, v1Request, security)).to.deep.equal({ failure: 'refused' });
    expect(await entry('subscriber', publisher, security)).to.equal('refused');
    expect(await ask(mgmt, status, security)).to.deep.equal({ failure: 'refused' });
    await expectNoted(before, 'publisher', 'unknown key');
  });

  it('who is an operator is refused where agents come in, and cannot shut the manager down', async () => {
    const security = securityOf(alice.keys.curve, manager.keys.publicKey);
    const { backend, sink, mgmt } = manager.endpoints;
    expect(await entry('subscriber', backend, security)).to.equal('refused');
    expect(await entry('push', sink, security)).to.equal('refused');
    const shutdown = JSON.stringify({ cmd: 'manager.shutdown' });
    expect(await ask(mgmt, shutdown, security)).to.deep.equal({ failure: 'refused' });
    expect(await ask(mgmt, shutdown, undefined, 500)).to.deep.equal({ failure: 'silence' });
    expect(await manager.status()).to.include({ status: 'running' });
  });

  it('whose key was revoked is refused with the next request, also on a connection that he has', async () => {
    const name = newName('bob');
    const bob = await manager.enrol('operator', name);
    const client = clientOf(bob);
    expect((await client.history.nodes()).nodes.map(({ node }) => node)).to.deep.equal(['web1']);
    const { keys } = await manager.admin('manager.keys.list');
    const { fingerprint } = (keys as JsonObject[]).find((key) => key['name'] === name) ?? {};
    await manager.admin('manager.keys.revoke', { fingerprint });
    const error: unknown = await client.history.nodes().catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'UNAUTHENTICATED' });
    const run = await runClient([...clientArgs(bob), '-T', 'any', '-c', 'status', '-s', 'cron']);
    expect(run.code, run.stderr).to.equal(77);
    expect(run.stderr).to.include(`does not let operator ${name} in`);
    const fields = manager.audited('key.revoked').map((line) => line['fields']);
    expect(fields).to.deep.include({ role: 'operator', name, fingerprint });
    // His name stays his.
    const again = await manager.enrol('operator', name).catch((thrown: unknown) => thrown);
    expect(again).to.include({ code: 'NAME_TAKEN' });
  });

  it('whose agent was revoked is not heard any more', async () => {
    const name = newName('evil');
    const evil = await manager.enrol('agent', name);
    const daemon = await startSecuredAgent({ manager, nodeName: name, member: evil });
    await manager.waitForSubscribers(2);
    const { keys } = await manager.admin('manager.keys.list');
    const { fingerprint } = (keys as JsonObject[]).find((key) => key['name'] === name) ?? {};
    await manager.admin('manager.keys.revoke', { fingerprint });
    await daemon.waitForEvent('message.rejected', 10_000, ({ door }) => door === 'handshake');
    const client = clientOf(alice);
    await eventually(
      async () => {
        const { nodes } = await client.history.nodes();
        return nodes.find(({ node }) => node === name)?.presence === 'lost';
      },
      'the revoked agent is lost',
      20_000,
    );
    const request = await client.send({ topic: 'web1', action: 'status', service: 'cron' });
    const answers = [];
    for await (const answer of request) answers.push(answer);
    expect(answers).to.have.lengthOf(1);
    await daemon.stop();
  });

  it('who was cloned, or has taken a name, is refused and reported', async () => {
    const error: unknown = await manager.enrol('agent', 'web1').catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'NAME_TAKEN' });
    expect(manager.events('key.name_taken')).to.have.lengthOf.at.least(1);
    expect(manager.audited('key.name_taken')).to.have.lengthOf.at.least(1);
    const { keys } = await manager.admin('manager.keys.list');
    const web1 = (keys as JsonObject[]).find(({ name }) => name === 'web1');
    expect(web1).to.have.property('refusedOthers').that.is.above(0);
  });

  it('and each known one is served all the while', async () => {
    const reply = await ask(
      manager.endpoints.frontend,
      signed(bodyOf({ cmd: 'status', service: 'cron' }), alice.keys),
      securityOf(alice.keys.curve, manager.keys.publicKey),
    );
    expect(reply).to.have.nested.property('reply.expected', 1);
  });
});
