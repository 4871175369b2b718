import { expect } from 'chai';
import { XSubscriber } from 'zeromq';
import { sleep } from '../../../src/platform/clock.ts';
import { nodeClock } from '../../../src/platform/node/clock.ts';
import { newRequestId } from '../../../src/platform/node/ids.ts';
import { secureClient } from '../../../src/platform/zmq/curve.ts';
import { addressFrame } from '../../../src/wire/topic.ts';
import { eventually } from '../../fakes/eventually.ts';
import { cleanUp, onCleanUp } from '../harness/processes.ts';
import {
  clientOf,
  type Member,
  type SecuredManager,
  securityOf,
  startSecuredAgent,
  startSecuredManager,
} from '../harness/secured-fleet.ts';
import { proved, pushInto } from './attacker.ts';

const withUnsubscribes = 115;

describe('whoever has the key of one agent', function () {
  this.timeout(60_000);

  let manager: SecuredManager;
  let alice: Member;
  let evil: Member;

  before(async () => {
    manager = await startSecuredManager();
    alice = await manager.enrol('operator', 'alice');
    evil = await manager.enrol('agent', 'evil');
    await startSecuredAgent({ manager, nodeName: 'web1' });
    await manager.waitForSubscribers(1);
  });
  after(cleanUp);

  it('does not end the manager with what is nested deeper than the stack', async () => {
    const boot = newRequestId();
    const about = { system: '', release: '', version: '', machine: '', agentVersion: '', startedAtMs: 1 };
    const hello = JSON.stringify({ node: 'evil', boot, ...about, roles: [], topics: [] });
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const payload = hello.replace(/\}$/, `,"more":${nested}}`);
    await pushInto(manager, evil.keys, [proved(evil.keys, manager, ['hello', boot, 'evil', '1', payload])]);
    const isRefused = () => manager.audited('message.rejected').length > 0;
    await eventually(isRefused, 'the hello is turned away');
    expect(await manager.status()).to.have.property('status', 'running');
  });

  it('does not keep another one lost by ending its subscriptions', async () => {
    const { history } = clientOf(alice);
    const presenceOf = async (wanted: string): Promise<string | undefined> => {
      const { nodes } = await history.nodes();
      return nodes.find(({ node }) => node === wanted)?.presence;
    };
    const socket = new XSubscriber({ linger: 0 });
    onCleanUp(() => socket.close());
    socket['setInt32Option'](withUnsubscribes, 1);
    const security = securityOf(evil.keys.curve, manager.keys.publicKey);
    for (const key of security.serverKeys) secureClient(socket, security, key);
    socket.connect(manager.endpoints.backend);
    const end = Buffer.concat([Buffer.of(0), addressFrame('web1')]);
    await socket.send(end);
    const is = (presence: string) => async () => {
      await sleep(nodeClock, 100);
      return (await presenceOf('web1')) === presence;
    };
    await eventually(is('lost'), 'web1 seems lost');
    await socket.send(end);
    await eventually(is('alive'), 'web1 is back', 20_000);
    await socket.send(end);
    await sleep(nodeClock, 3_000);
    expect(await presenceOf('web1')).to.equal('alive');
  });
});
