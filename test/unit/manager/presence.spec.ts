import { expect } from 'chai';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeName, Topic } from '../../../src/wire/fields.ts';
import { everyAgent } from '../../../src/wire/topic.ts';
import { bootOf, helloOf, ManagerDesks, memberOf } from '../../fakes/manager-desks.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';

const web1 = 'web1' as NodeName;

async function tickFor(desks: ManagerDesks, byMs: number): Promise<void> {
  for (let leftMs = byMs; leftMs > 0; leftMs -= 100) {
    desks.presence.tick();
    await desks.clock.advanceAsync(100);
  }
}

function address(node: string, isSubscribed = true) {
  return { version: 'address', topic: node as Topic, isSubscribed } as const;
}

/** `web1 alive`, in the order in which it was published. */
function published({ published: all }: ManagerDesks): string[] {
  return all
    .filter(([topic]) => topic === 'nodes/')
    .map(([, text]) => {
      const { node, presence, conflictingAgents } = JSON.parse(text);
      return `${node} ${presence}${conflictingAgents > 0 ? ` ${conflictingAgents}` : ''}`;
    });
}

describe('pulses', () => {
  it('go to all agents every second after the start, and every 5 s later', async () => {
    const desks = await ManagerDesks.open();
    const counts: number[] = [];
    for (const seconds of [15, 15, 30]) {
      await tickFor(desks, seconds * 1_000);
      counts.push(desks.dispatched.splice(0).filter((sent) => sent === '* pulse').length);
    }
    expect(counts).to.deep.equal([15, 3, 6]);
  });
});

describe('a node that says hello', () => {
  it('is known, stored, logged and published', async () => {
    const desks = await ManagerDesks.open();
    desks.presence.message({ type: 'hello', hello: helloOf('web1') });
    await desks.clock.advanceAsync(5);
    expect(desks.presence.roster.get('web1')?.presence).to.equal('alive');
    expect(desks.writes).to.deep.equal(['saveMember']);
    expect(published(desks)).to.deep.equal(['web1 alive']);
    expect(desks.log.events).to.deep.include({
      level: 'info',
      event: 'node.changed',
      fields: { node: 'web1', presence: 'alive', conflict: [], system: 'Linux' },
    });
  });

  it('and beats is neither stored nor published again', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    await desks.clock.advanceAsync(1_000);
    const before = [desks.writes.length, desks.published.length];
    for (let count = 0; count < 10; count += 1) {
      desks.presence.message({ type: 'beat', node: web1, boot: bootOf('b') });
      await desks.clock.advanceAsync(1_000);
    }
    expect([desks.writes.length, desks.published.length]).to.deep.equal(before);
  });

  it('counts as an agent until it leaves, and so do v1 agents', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1', 'web2');
    desks.presence.subscription({ version: 'v1', topic: 'any' as Topic, isSubscribed: true });
    expect(desks.presence.agentCount).to.equal(3);
    desks.presence.message({ type: 'bye', node: web1, boot: bootOf('b') });
    desks.presence.subscription({ version: 'v1', topic: 'any' as Topic, isSubscribed: false });
    expect(desks.presence.agentCount).to.equal(1);
  });
});

describe('a node that says hello or goodbye again and again', () => {
  const boot = bootOf('b');
  const topics = ['any', 'new'] as Topic[];
  const hello = (changes: Parameters<typeof helloOf>[1] = {}) =>
    ({ type: 'hello', hello: helloOf('web1', changes) }) as const;
  const bye = { type: 'bye', node: web1, boot } as const;

  /** How many of a hundred at once are taken. */
  function takenOf(desks: ManagerDesks, message: Parameters<ManagerDesks['presence']['message']>[0]): number {
    const codes = Array.from({ length: 100 }, () => {
      try {
        desks.presence.message(message);
        return 'taken';
      } catch (error) {
        return isServiceManagerError(error) ? error.code : 'failed';
      }
    });
    expect(codes).to.not.include('failed');
    expect(codes.filter((code) => code === 'TOO_BUSY')).to.have.length(
      100 - codes.filter((code) => code === 'taken').length,
    );
    return codes.filter((code) => code === 'taken').length;
  }

  for (const [what, message] of [
    ['hello', hello()],
    ['goodbye', bye],
  ] as const)
    it(`is heard twenty times at once and then once a second (${what})`, async () => {
      const desks = await ManagerDesks.open();
      desks.join('web1', 'web2');
      await desks.clock.advanceAsync(20_000);
      const before = published(desks).length;
      expect(takenOf(desks, message)).to.equal(20);
      await desks.clock.advanceAsync(1_000);
      expect(takenOf(desks, message)).to.equal(1);
      await desks.settle();
      expect(published(desks).length - before).to.equal(21);
      desks.presence.message({ type: 'hello', hello: helloOf('web2') });
    });

  it('is asked who it is at its next beat, until it is heard', async () => {
    const desks = await ManagerDesks.open();
    takenOf(desks, hello());
    expect(takenOf(desks, hello({ topics }))).to.equal(0);
    const beat = { type: 'beat', node: web1, boot } as const;
    for (let count = 0; count < 2; count += 1) {
      await desks.clock.advanceAsync(5_000);
      desks.presence.message(beat);
    }
    await desks.settle();
    expect(desks.dispatched).to.deep.equal(['web1 who', 'web1 who']);
    desks.presence.message(hello({ topics }));
    expect(desks.presence.roster.get('web1')?.facts.topics).to.deep.equal(topics);
    await desks.clock.advanceAsync(5_000);
    desks.presence.message(beat);
    await desks.settle();
    expect(desks.dispatched).to.have.length(2);
  });

  it('is asked the same when its last hello was that of another run', async () => {
    const desks = await ManagerDesks.open();
    takenOf(desks, hello());
    expect(takenOf(desks, hello({ boot: bootOf('c') }))).to.equal(0);
    desks.presence.message({ type: 'beat', node: web1, boot: bootOf('c') });
    await desks.settle();
    expect(desks.dispatched).to.deep.equal(['web1 who']);
    await desks.clock.advanceAsync(1_000);
    desks.presence.message(hello({ boot: bootOf('c') }));
    expect(desks.presence.roster.get('web1')).to.deep.include({ presence: 'alive', conflict: [] });
    expect(desks.presence.roster.get('web1')?.facts.boot).to.equal(bootOf('c'));
  });
});

describe('a node that beats and was never heard of', () => {
  it('is asked who it is, once a second', async () => {
    const desks = await ManagerDesks.open();
    for (let count = 0; count < 30; count += 1) {
      desks.presence.message({ type: 'beat', node: web1, boot: bootOf('b') });
      await desks.clock.advanceAsync(100);
    }
    expect(desks.dispatched).to.deep.equal(['web1 who', 'web1 who', 'web1 who']);
  });
});

describe('a node that is lost', () => {
  it('is published with a warning, and again when it is back', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    await tickFor(desks, 15_200);
    expect(published(desks)).to.deep.equal(['web1 alive', 'web1 lost']);
    expect(desks.log.named('node.changed').at(-1)?.level).to.equal('warn');
    desks.presence.message({ type: 'beat', node: web1, boot: bootOf('b') });
    await desks.settle();
    expect(published(desks).at(-1)).to.equal('web1 alive');
  });

  it('because its connection broke may be back within 2 s', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    desks.presence.subscription(address('web1', false));
    await tickFor(desks, 1_900);
    desks.presence.subscription(address('web1'));
    await tickFor(desks, 3_000);
    expect(published(desks)).to.deep.equal(['web1 alive']);
    desks.presence.subscription(address('web1', false));
    await tickFor(desks, 2_200);
    expect(published(desks)).to.deep.equal(['web1 alive', 'web1 lost']);
  });

  it('is not the one who subscribes to the address of all agents', async () => {
    const desks = await ManagerDesks.open();
    desks.presence.subscription(address(everyAgent));
    desks.presence.subscription(address(everyAgent, false));
    await tickFor(desks, 3_000);
    expect(published(desks)).to.deep.equal([]);
  });
});

describe('two agents of one name', () => {
  it('are warned at each of their beats, published and logged', async () => {
    const desks = await ManagerDesks.open();
    const boots = [bootOf('a'), bootOf('c')] as const;
    for (const boot of boots) desks.presence.message({ type: 'hello', hello: helloOf('web1', { boot }) });
    for (let count = 0; count < 2; count += 1) {
      for (const boot of boots) desks.presence.message({ type: 'beat', node: web1, boot });
      await desks.clock.advanceAsync(5_000);
    }
    expect(published(desks).at(-1)).to.equal('web1 alive 2');
    expect(desks.dispatched.filter((sent) => sent === 'web1 conflict')).to.have.length(2);
    expect(desks.log.named('node.changed').at(-1)).to.deep.include({ level: 'warn' });
  });
});

describe('when nodes were last seen', () => {
  it('is stored once a minute and at the end, of those that are alive', async () => {
    const store = new MemoryStore();
    const desks = await ManagerDesks.open(store);
    desks.join('web1', 'web2');
    desks.presence.message({ type: 'bye', node: 'web2' as NodeName, boot: bootOf('b') });
    await desks.clock.advanceAsync(5);
    const seen = () => store.members().map(({ lastSeenWallMs }) => lastSeenWallMs);
    const atStart = desks.clock.wallMs() - 5;
    await desks.clock.advanceAsync(59_000);
    desks.presence.message({ type: 'beat', node: web1, boot: bootOf('b') });
    desks.presence.tick();
    expect(seen()).to.deep.equal([atStart, atStart]);
    await desks.clock.advanceAsync(995);
    desks.presence.tick();
    expect(seen()).to.deep.equal([atStart + 59_005, atStart]);
    desks.presence.message({ type: 'beat', node: web1, boot: bootOf('b') });
    desks.presence.close();
    expect(seen()).to.deep.equal([atStart + 60_000, atStart]);
    expect(desks.writes.filter((write) => write === 'saveLastSeen')).to.have.length(2);
  });

  it('is logged when it cannot be stored', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    desks.failing = ['saveLastSeen'];
    desks.presence.close();
    expect(desks.log.named('store.failed')).to.have.length(1);
  });
});

describe('a manager that starts', () => {
  it('knows whom it knew, with a wall clock of its own', async () => {
    const clock = new ManualClock(1_000);
    const store = new MemoryStore();
    const lastSeenWallMs = clock.wallMs() - 3_600_000;
    store.saveMember(memberOf('web1', { presence: 'left', lastSeenWallMs }));
    store.saveMember(memberOf('web2', { lastSeenWallMs }));
    const desks = await ManagerDesks.open(store, clock);
    const { nodes } = desks.ask({ v: 2, query: 'nodes' }) as { nodes: object[] };
    expect(nodes).to.have.length(2);
    expect(nodes[0]).to.include({ node: 'web1', presence: 'left', lastSeenAgoMs: 3_600_000 });
    expect(nodes[1]).to.include({ node: 'web2', presence: 'alive', lastSeenMs: lastSeenWallMs });
    expect(published(desks)).to.deep.equal([]);
  });
});

describe('a node that is forgotten', () => {
  it('is gone from the roster and the store, also when it had just changed', async () => {
    const store = new MemoryStore();
    const desks = await ManagerDesks.open(store);
    desks.join('web1', 'web2');
    expect(desks.presence.forget(web1)).to.equal(true);
    await desks.clock.advanceAsync(1_000);
    expect(store.members().map(({ node }) => node)).to.deep.equal(['web2']);
    expect(desks.presence.roster.all().map(({ node }) => node)).to.deep.equal(['web2']);
    expect(desks.presence.forget(web1)).to.equal(false);
  });

  it('stays known when the store cannot forget it', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    desks.failing = ['forgetMember'];
    expect(() => desks.presence.forget(web1)).to.throw('disk full');
    expect(desks.presence.roster.get('web1')?.presence).to.equal('alive');
  });
});
