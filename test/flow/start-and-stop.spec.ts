import { expect } from 'chai';
import { Connections } from '../../src/client/connections.ts';
import { askManagement } from '../../src/client/management.ts';
import { Fleet } from './fleet.ts';

/** What the program at this management socket says to the command. */
async function told(fleet: Fleet, endpoint: string, cmd: string): Promise<object> {
  const connections = new Connections(fleet.network.sockets, fleet.clock);
  return fleet.settled(askManagement(endpoint, { cmd }, 1_000, connections));
}

async function codeOf(fleet: Fleet, starting: Promise<unknown>): Promise<unknown> {
  const error: unknown = await fleet.settled(starting.catch((thrown: unknown) => thrown));
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

describe('a manager', () => {
  it('tells its status in the 2014 shape, and what it has seen', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    await fleet.ask({});
    await fleet.pass(1_000);
    const status = await told(fleet, 'tcp://localhost:5800', 'manager.status');
    expect(status).to.include({ success: 0, msg: 'Service Manager Status' });
    expect(status).to.have.property('result').that.includes({
      status: 'running',
      frontend_endpoint: 'tcp://*:5500',
      result_publisher_port: 5_750,
      uptimeMs: 1_000,
    });
    expect(status)
      .to.have.nested.property('result.counters')
      .that.includes({
        ...{ requests: 1, requestsRepeated: 0, requestsRefused: 0, requestsEnded: 1, openRequests: 0 },
        ...{ results: 2, agents: 2, framesRejected: 0, messagesDropped: 0 },
      });
  });

  it('is done when it is told to shut down', async () => {
    const fleet = await Fleet.start();
    let isFinished = false;
    void fleet.manager().manager.finished.then(() => {
      isFinished = true;
    });
    await fleet.pass(1_000);
    expect(isFinished).to.equal(false);
    await told(fleet, 'tcp://localhost:5800', 'manager.shutdown');
    await fleet.pass(0);
    expect(isFinished).to.equal(true);
  });

  it('that cannot bind one of its endpoints gives up the others', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'] });
    await fleet.settled(fleet.manager('m2').close());
    const blocker = await fleet.network.sockets.bindPull('tcp://*:15500');
    expect(await codeOf(fleet, fleet.manager('m2').start())).to.equal('ENDPOINT_UNUSABLE');
    await blocker.close();
    await fleet.manager('m2').start();
    expect(await told(fleet, 'tcp://localhost:15800', 'manager.status')).to.include({ success: 0 });
  });

  it('that picks a free port for its publisher picks it again, and its clients hear of it again', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'], managerConfig: { publisherEndpoint: 'tcp://*:*' } });
    fleet.node('web1').slow('nginx restart', 5_000);
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(1_000);
    fleet.manager().kill();
    await fleet.pass(1_000);
    await fleet.manager().start();
    await fleet.until(() => run.isOver, 'the request is over');
    expect([run.outcomes, run.tookMs]).to.deep.equal([{ web1: 'ok' }, 5_000]);
  });

  it('picks another port when that is taken meanwhile', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'], managerConfig: { publisherEndpoint: 'tcp://*:*' } });
    const { port } = await fleet.settled(fleet.client().history.nodes());
    fleet.manager().kill();
    await fleet.network.sockets.bindPull(`tcp://*:${port}`);
    await fleet.manager().start();
    await fleet.pass(1_000);
    expect((await fleet.settled(fleet.client().history.nodes())).port).to.not.equal(port);
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok' });
  });

  it('that is stopped leaves nothing behind, and may be stopped twice', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    await fleet.ask({});
    const { manager } = fleet.manager();
    await fleet.settled(Promise.all([manager.close(), manager.close()]));
    await fleet.pass(60_000);
    expect(fleet.clock.pending.filter((name) => name.startsWith('m1'))).to.deep.equal([]);
  });
});

describe('an agent', () => {
  it('tells its status in the 2014 shape, and what it has seen', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: [{ name: 'web1', roles: ['web'] }] });
    await fleet.ask({});
    await fleet.pass(1_000);
    const status = await told(fleet, 'tcp://localhost:6000', 'agent.status');
    expect(status).to.include({ success: 0, msg: 'Service Manager Agent Status' });
    expect(status).to.have.property('result').that.includes({
      status: 'running',
      manager_endpoint: 'tcp://localhost:5600, tcp://localhost:15600',
      node: 'web1',
      uptimeMs: 1_000,
    });
    expect(status)
      .to.have.nested.property('result.counters')
      .that.includes({ requests: 1, tasks: 0, undelivered: 0, framesRejected: 0, messagesDropped: 0 });
  });

  it('is done when it is told to shut down', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    let isFinished = false;
    void fleet.node('web1').agent.finished.then(() => {
      isFinished = true;
    });
    await told(fleet, 'tcp://localhost:6000', 'agent.shutdown');
    await fleet.pass(0);
    expect(isFinished).to.equal(true);
  });

  it('that cannot bind its endpoint does not start', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    await fleet.settled(fleet.node('web1').close());
    const blocker = await fleet.network.sockets.bindReply('tcp://*:6000');
    expect(await codeOf(fleet, fleet.node('web1').start())).to.equal('ENDPOINT_UNUSABLE');
    await blocker.close();
    await fleet.node('web1').start();
    await fleet.pass(0);
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok' });
  });

  it('that is stopped leaves nothing behind, and may be stopped twice', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    await fleet.ask({});
    const { agent } = fleet.node('web1');
    await fleet.settled(Promise.all([agent.close(), agent.close()]));
    await fleet.pass(60_000);
    expect(fleet.clock.pending.filter((name) => name.startsWith('web1'))).to.deep.equal([]);
  });
});

describe('junk at the doors', () => {
  const junk = [
    [],
    [''],
    ['x'],
    ['', ''],
    ['', 'x'],
    ['', '{}'],
    ['a', 'b', 'c', 'd', 'e', 'f'],
    ['x'.repeat(5_000)],
  ];

  it('is counted, logged in moderation, and stops nobody', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const { sockets } = fleet.network;
    for (const connect of [
      () => sockets.connectDealer('tcp://localhost:5500'),
      () => sockets.connectDealer('tcp://localhost:5800'),
      () => sockets.connectDealer('tcp://localhost:6000'),
      () => sockets.connectPush('tcp://localhost:5700'),
    ]) {
      const socket = connect();
      for (let count = 0; count < 20; count += 1)
        for (const frames of junk)
          if (frames.length > 0) socket.send(frames.map((frame) => Buffer.from(frame)));
    }
    for (const endpoint of ['tcp://localhost:5600', 'tcp://localhost:5750']) {
      const subscriber = sockets.connectSubscriber(endpoint);
      for (const topic of ['', '\u0002', '\u0003', '\u0002x', 'x'.repeat(5_000)]) subscriber.subscribe(topic);
    }
    await fleet.pass(1_000);
    expect(fleet.manager().manager.counters.framesRejected).to.be.at.least(200);
    expect(fleet.manager().log.named('message.rejected').length).to.be.within(4, 40);
    const run = await fleet.ask({});
    expect([run.outcomes, run.tookMs]).to.deep.equal([{ web1: 'ok' }, 0]);
  });
});
