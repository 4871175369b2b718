import { expect } from 'chai';
import {
  type BindDeps,
  bindSockets,
  type ManagerEndpoints,
  portOf,
  socketsOfDoors,
} from '../../../src/manager/bound-sockets.ts';
import { doors } from '../../../src/manager/doors.ts';
import { Closing } from '../../../src/platform/closing.ts';
import type { BindOptions, BoundSocket, Sockets } from '../../../src/platform/sockets.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const endpoints: ManagerEndpoints = {
  frontendEndpoint: 'tcp://*:5500',
  backendEndpoint: 'tcp://*:5600',
  sinkEndpoint: 'tcp://*:5700',
  mgmtEndpoint: 'tcp://*:5800',
  publisherEndpoint: 'tcp://*:5750',
};

/** Notes how sockets are bound and in which order they are closed. */
function recorded(sockets: Sockets, isTaken = (_endpoint: string) => false) {
  const bound: Array<{ readonly how: string; readonly endpoint: string; readonly options?: BindOptions }> =
    [];
  const closed: string[] = [];
  const watched = new Proxy(sockets, {
    get: (target, name) => {
      const bind: unknown = Reflect.get(target, name, target);
      if (typeof bind !== 'function' || !String(name).startsWith('bind')) return bind;
      return async (endpoint: string, options?: BindOptions) => {
        if (isTaken(endpoint)) throw new ServiceManagerError('ENDPOINT_UNUSABLE', `${endpoint} is taken`);
        bound.push({ how: String(name), endpoint, ...(options === undefined ? {} : { options }) });
        const socket: BoundSocket = await Reflect.apply(bind, target, [endpoint, options]);
        const close = socket.close.bind(socket);
        socket.close = async () => {
          closed.push(endpoint);
          await close();
        };
        return socket;
      };
    },
  });
  return { sockets: watched, bound, closed };
}

async function bind(change: Partial<BindDeps> = {}, more: Partial<ManagerEndpoints> = {}) {
  const { sockets, bound, closed } = recorded(new MemorySockets());
  const closing = new Closing();
  const deps = { sockets, store: new MemoryStore(), securityOf: undefined, joinEndpoint: undefined };
  const opened = await bindSockets({ ...endpoints, ...more }, { ...deps, ...change }, closing);
  return { opened, bound, closed, closing };
}

const withJoin = { joinEndpoint: 'tcp://*:5850' };

describe('the sockets of a manager', () => {
  it('are bound each in its pattern', async () => {
    const { bound } = await bind(withJoin);
    expect(Object.fromEntries(bound.map(({ endpoint, how }) => [endpoint, how]))).to.deep.equal({
      'tcp://*:5500': 'bindRouter',
      'tcp://*:5600': 'bindPublisher',
      'tcp://*:5700': 'bindPull',
      'tcp://*:5750': 'bindPublisher',
      'tcp://*:5800': 'bindReply',
      'tcp://*:5850': 'bindReply',
    });
  });

  it('are closed in an order in which nothing is taken that cannot be answered', async () => {
    const { closing, closed } = await bind(withJoin);
    await closing.close();
    expect(closed).to.deep.equal([5500, 5850, 5800, 5700, 5600, 5750].map((port) => `tcp://*:${port}`));
  });

  it('are known by the names of their doors, all of them', async () => {
    const { opened } = await bind(withJoin);
    const named = socketsOfDoors(opened);
    expect([...named.keys()]).to.have.members(Object.keys(doors));
    for (const [door, socket] of named) expect(socket, door).to.equal(opened[door]);
  });

  it('leave out the one for strangers where there is none', async () => {
    const { opened, bound } = await bind();
    expect(opened.join).to.equal(undefined);
    expect([...socketsOfDoors(opened).keys()]).to.not.include('join');
    expect(bound).to.have.length(5);
  });

  it('speak CURVE, each in the name of its own door, where there is security', async () => {
    const { securityOf } = new TestGate().gate;
    const { opened, bound } = await bind({ ...withJoin, securityOf });
    const domainOf = (socket: BoundSocket) =>
      bound.find(({ endpoint }) => portOf({ endpoint }) === portOf(socket))?.options?.security?.domain;
    for (const [door, socket] of socketsOfDoors(opened)) expect(domainOf(socket)).to.equal(door);
  });

  it('speak nothing but ZeroMQ where there is none', async () => {
    const { bound } = await bind(withJoin);
    for (const { options } of bound) expect(options).to.not.have.property('security');
  });

  it('take no more from strangers and listeners than a topic and a small question', async () => {
    const { bound } = await bind(withJoin);
    const sizes = Object.fromEntries(
      bound.map(({ endpoint, options }) => [portOf({ endpoint }), options?.maxMessageBytes]),
    );
    for (const port of [5600, 5750]) expect(sizes[port]).to.equal(2 * 1024);
    expect(sizes[5850]).to.equal(64 * 1024);
    for (const port of [5500, 5800]) expect(sizes[port]).to.equal(2 * 1024 * 1024);
    for (const { options } of bound) expect(options?.maxMessageBytes).to.be.a('number');
  });

  it('leave none behind for who closes them when one cannot be bound', async () => {
    const { sockets, closed } = recorded(new MemorySockets(), (endpoint) => endpoint === 'tcp://*:5500');
    const closing = new Closing();
    const deps = { sockets, store: new MemoryStore(), securityOf: undefined, ...withJoin };
    try {
      await bindSockets(endpoints, deps, closing);
      expect.fail('it was bound');
    } catch (error) {
      expect(error).to.include({ code: 'ENDPOINT_UNUSABLE' });
    }
    await closing.close();
    expect(closed).to.have.length(5);
  });
});

describe('the publisher of a manager whose port is picked freely', () => {
  it('is bound to the same port after a restart', async () => {
    const store = new MemoryStore();
    const free = { publisherEndpoint: 'tcp://*:*' };
    const { opened, closing } = await bind({ store }, free);
    const port = portOf(opened.publisher);
    await closing.close();
    const again = await bind({ store }, free);
    expect([port > 0, portOf(again.opened.publisher)]).to.deep.equal([true, port]);
  });

  it('is bound to another one when somebody has that meanwhile', async () => {
    const store = new MemoryStore();
    const { sockets } = recorded(new MemorySockets(), (endpoint) => endpoint === 'tcp://*:5600');
    store.setSetting('publisher endpoint', 'tcp://*:5600');
    const free = { publisherEndpoint: 'tcp://*:*', backendEndpoint: 'tcp://*:5601' };
    const { opened } = await bind({ store, sockets }, free);
    expect(portOf(opened.publisher)).to.be.above(49_151);
    expect(store.getSetting('publisher endpoint')).to.equal(`tcp://*:${portOf(opened.publisher)}`);
  });
});

describe('the port of an endpoint', () => {
  it('is the one that it is bound to, and 0 where it has none', () => {
    for (const [endpoint, port] of [
      ['tcp://0.0.0.0:5750', 5_750],
      ['tcp://[::1]:5750', 5_750],
      ['ipc:///run/service-mgr/x:1', 0],
    ] as const)
      expect(portOf({ endpoint })).to.equal(port);
  });
});
