import { expect } from 'chai';
import { Connections } from '../../../src/client/connections.ts';
import { Identity } from '../../../src/client/identity.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';
import { keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { SecuredFrontend } from '../../fakes/secured-frontend.ts';

const timeoutMs = 1_000;

/** Alice, who has joined a manager. */
async function joined() {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const manager = await new SecuredFrontend(sockets, clock).start();
  const kept: KnownManager[] = [];
  const keep = (known: KnownManager) => kept.push(known);
  const identity = new Identity({
    ...{ keys: keyFileOf(keyOwner('operator', 'alice')), managers: [manager.known], keep },
  });
  const connections = new Connections(sockets, clock, identity);
  let now = clock.now();
  return {
    ...{ clock, sockets, manager, kept, connections },
    settle: () => clock.advanceAsync(0),
    /** What it says to this, or why it says nothing; and after how many milliseconds. */
    exchange: async (text = '{}') => {
      now = clock.now();
      let came: { said: string | undefined; tookMs: number } | undefined;
      void connections.exchange(manager.endpoint, Buffer.from(text), timeoutMs, undefined).then((frame) => {
        came = { said: frame?.toString(), tookMs: clock.now() - now };
      });
      while (came === undefined) await clock.advanceAsync(10);
      const { said, tookMs } = came;
      return [
        said === undefined ? (connections.failureOf(manager.endpoint) ?? 'silence') : 'a reply',
        tookMs,
      ];
    },
    /** Listens to a topic of its publisher. */
    listen: async (topic: string) => {
      const heard: string[] = [];
      const publisher = connections.publisherOf(manager.endpoint, manager.publisherPort);
      connections.feed(publisher).listen(topic, (payload) => heard.push(`${payload}`));
      await clock.advanceAsync(0);
      return heard;
    },
  };
}

describe('an exchange with a manager that is known', () => {
  it('gives its reply', async () => {
    const { exchange, manager } = await joined();
    expect(await exchange('{"a":1}')).to.deep.equal(['a reply', 0]);
    expect(manager.asked).to.deep.equal(['{"a":1}']);
  });

  it('ends at once where it does not let us in', async () => {
    const { exchange, manager, clock } = await joined();
    manager.isOpen = false;
    expect(await exchange()).to.deep.equal(['refused', 0]);
    expect([manager.asked, clock.pending.includes('close socket')]).to.deep.equal([[], false]);
  });

  it('ends at once where it does not let us in any more, also over a connection from before', async () => {
    const { exchange, manager, settle, clock } = await joined();
    await exchange();
    manager.isOpen = false;
    await manager.reopen();
    await settle();
    expect(await exchange()).to.deep.equal(['refused', 0]);
    expect(await exchange()).to.deep.equal(['refused', 0]);
    manager.isOpen = true;
    await clock.advanceAsync(100);
    expect(await exchange()).to.deep.equal(['a reply', 0]);
  });

  it('ends when it is thrown out while it waits', async () => {
    const { exchange, manager, clock } = await joined();
    manager.reply = undefined;
    clock.after(300, 'thrown out', () => {
      manager.isOpen = false;
      void manager.reopen();
    });
    const [why, tookMs] = await exchange();
    expect([why, Number(tookMs) < 500]).to.deep.equal(['refused', true]);
  });

  it('waits for one with another key as for one that is not there, and says why', async () => {
    const { exchange, manager, connections } = await joined();
    await manager.reopen(newCurveKeys());
    expect(await exchange()).to.deep.equal(['cut off', timeoutMs]);
    expect(connections.inOrder([manager.endpoint, 'tcp://other:5500'])[1]).to.equal(manager.endpoint);
  });

  it('forgets why it was not let in as soon as it is', async () => {
    const { exchange, manager, clock } = await joined();
    manager.isOpen = false;
    await exchange();
    manager.isOpen = true;
    manager.reply = undefined;
    await clock.advanceAsync(200);
    expect(await exchange()).to.deep.equal(['silence', timeoutMs]);
  });
});

describe('the next key of a manager', () => {
  it('is learned from a reply, and kept once', async () => {
    const { exchange, manager, kept } = await joined();
    const { known } = manager;
    manager.nextKeys = newCurveKeys();
    await exchange();
    await exchange();
    expect(kept).to.deep.equal([{ ...known, nextKey: manager.nextKeys.publicKey }]);
  });

  it('is known to all connections when it is used, and no exchange fails', async () => {
    const { exchange, manager, settle, kept, clock } = await joined();
    const { known } = manager;
    const next = newCurveKeys();
    await exchange();
    manager.nextKeys = next;
    await exchange();
    manager.nextKeys = undefined;
    await manager.reopen(next);
    await settle();
    expect(await exchange()).to.deep.equal(['a reply', 0]);
    expect(kept.at(-1)).to.deep.equal({ ...known, key: next.publicKey });
    expect(clock.pending).to.deep.equal([]);
  });

  it('is known to an exchange that was on its way when another one learned it', async () => {
    const { exchange, manager, connections, clock } = await joined();
    const next = newCurveKeys();
    manager.nextKeys = next;
    manager.reply = undefined;
    const slow = connections.exchange(manager.endpoint, Buffer.from('slow'), 5_000, undefined);
    await clock.advanceAsync(0);
    manager.reply = {};
    await exchange();
    await manager.reopen(next);
    manager.nextKeys = undefined;
    expect(await exchange()).to.deep.equal(['a reply', 0]);
    await clock.advanceAsync(5_000);
    expect(await slow).to.equal(undefined);
  });

  it('is known to who listens to its publisher already', async () => {
    const { exchange, manager, listen, settle } = await joined();
    const heard = await listen('topic');
    manager.publish('topic', 'before');
    await settle();
    const next = newCurveKeys();
    manager.nextKeys = next;
    await exchange();
    await manager.reopen(next);
    await settle();
    manager.publish('topic', 'after');
    await settle();
    expect(heard).to.deep.equal(['before', 'after']);
    expect(manager.subscriptions).to.deep.equal(['+topic', '-topic', '+topic']);
  });

  it('that no reply spoke of is not believed', async () => {
    const { exchange, manager, listen, settle } = await joined();
    const heard = await listen('topic');
    await exchange();
    await manager.reopen(newCurveKeys());
    manager.publish('topic', 'after');
    await settle();
    expect([heard, (await exchange())[0]]).to.deep.equal([[], 'cut off']);
  });
});

describe('a publisher', () => {
  it('has to have the key of the manager that is beside it', async () => {
    const { clock, sockets, manager, connections } = await joined();
    const other = await new SecuredFrontend(sockets, clock, 2).start();
    const heard: string[] = [];
    // The manager says a port at which somebody else publishes.
    const publisher = connections.publisherOf(manager.endpoint, other.publisherPort);
    connections.feed(publisher).listen('topic', (payload) => heard.push(`${payload}`));
    await clock.advanceAsync(1_000);
    other.publish('topic', 'made up');
    await clock.advanceAsync(0);
    expect([heard, other.subscriptions]).to.deep.equal([[], []]);
  });
});
