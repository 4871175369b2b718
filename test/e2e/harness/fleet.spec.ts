import { expect } from 'chai';
import { startV1Agents, startV1Manager } from '../v1/peers.ts';
import { runClient, startAgent, startClient, startManager } from './fleet.ts';
import { cleanUp } from './processes.ts';
import { wellBehaved } from './services.ts';

describe('the fleet of the end-to-end tests', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('is a manager and agents of our own that a client of our own can use', async () => {
    const manager = await startManager();
    const agents = [
      await startAgent({ managers: [manager], nodeName: 'web1', roles: ['web'], topics: ['rack 7'] }),
      await startAgent({ managers: [manager], nodeName: 'web2', extraActions: ['configtest'] }),
    ];
    expect(await manager.waitForSubscribers(2)).to.equal(2);
    const service = wellBehaved();
    const started = await runClient(manager.request('any', 'start', service.name, '-w', '10'));
    expect(started, started.stderr).to.include({ code: 0 });
    expect(started.answers()).to.have.lengthOf(2);
    for (const topic of ['role:web', 'rack 7']) {
      const one = await runClient(manager.request(topic, 'status', service.name, '-w', '10'));
      expect(one.answers(), one.stderr).to.have.nested.property('[0].result.node', 'web1');
    }
    for (const agent of agents) expect(await agent.status()).to.include({ status: 'running' });
    for (const daemon of [...agents, manager]) {
      expect(await daemon.stop(), daemon.label).to.deep.equal({ code: 0, signal: null });
    }
  });

  it('comes back with the same config, after an end of whichever kind', async () => {
    const manager = await startManager();
    const agent = await startAgent({ managers: [manager] });
    await manager.waitForSubscribers(1);
    await manager.kill();
    await manager.start();
    await manager.waitForSubscribers(1);
    await agent.restart();
    expect(agent.events('agent.started')).to.have.lengthOf(1);
    await manager.waitForSubscribers(1);
    expect(await manager.status()).to.include({ status: 'running' });
  });

  it('can be mixed with v1 peers', async () => {
    const manager = await startManager();
    await startV1Agents({ manager, count: 3 });
    const v1Manager = await startV1Manager();
    const agent = await startAgent({ managers: [v1Manager], protocol: 'v1' });
    await manager.waitForSubscribers(3);
    await v1Manager.waitForSubscribers(1);
    expect(agent.events('agent.started')).to.have.lengthOf(1);
  });

  it('says why a daemon did not start', async () => {
    const { endpoints } = await startManager();
    const error = await startManager({ endpoints }).catch(String);
    expect(error).to.include('waited for the log event manager.started');
    expect(error).to.include('--- stderr ---');
  });

  it('has clients whose output can be read while they run', async () => {
    const client = startClient(['--help']);
    expect((await client.waitForLine(/^usage:/i)).input).to.include('service-mgr-client');
    expect(await client.waitForExit()).to.deep.equal({ code: 0, signal: null });
  });
});
