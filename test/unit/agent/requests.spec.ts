import { expect } from 'chai';
import { Answers } from '../../../src/agent/answers.ts';
import { MemoryJournal } from '../../../src/store/memory-journal.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, type RequestId } from '../../../src/wire/fields.ts';
import { BootId } from '../../../src/wire/presence.ts';
import { Answer } from '../../../src/wire/result.ts';
import { AgentDesk } from '../../fakes/agent-desk.ts';

const node = message('node', 300, NodeName).parse('web1');
const boots = message('boot', 64, BootId);
const id = '0123456789abcdef0123456789abcdef' as RequestId;
const otherId = 'f'.repeat(32) as RequestId;
const host = {
  hostname: 'web1',
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  osRelease: {},
};

describe('a request that changes a service', () => {
  it('is acknowledged, journaled, run, journaled again, and only then answered', async () => {
    const bench = await AgentDesk.of();
    await bench.receive('nginx restart');
    expect(bench.heard()).to.deep.equal([
      'journal start',
      'run nginx restart',
      'm1 ack running',
      'journal finish',
      'm1 result 0',
    ]);
    expect(bench.journal.find(id)).to.include({ state: 'done', service: 'nginx', action: 'restart' });
    expect(bench.journal.undelivered()).to.have.length(1);
  });

  it('is followed when that is wanted, and its answer comes behind its output', async () => {
    const bench = await AgentDesk.of();
    await bench.receive('nginx restart', { follow: true });
    const [output, result] = bench.heard().filter((said) => /^m1 (output|result)/.test(said));
    const piece = { node: 'web1', source: 'stdout', text: 'printed\n', index: 0 };
    expect(JSON.parse(output?.slice('m1 output '.length) ?? '')).to.deep.equal(piece);
    expect(result).to.equal('m1 result 0');
  });

  it('is not followed when nobody wants that', async () => {
    const bench = await AgentDesk.of();
    await bench.receive('nginx restart');
    expect(bench.heard().filter((said) => said.includes('output'))).to.deep.equal([]);
  });

  it('is never run again: its answer is said again', async () => {
    const bench = await AgentDesk.of();
    await bench.receive('nginx restart');
    bench.heard();
    for (let count = 0; count < 3; count += 1) await bench.receive('nginx restart');
    expect(bench.heard().filter((said) => said.startsWith('m1') || said.startsWith('run'))).to.deep.equal(
      Array.from({ length: 3 }, () => 'm1 result 0'),
    );
  });

  it('is never run again by the next agent, either', async () => {
    const first = new MemoryJournal();
    const before = await AgentDesk.of({ journal: first });
    await before.receive('nginx restart');
    const bench = await AgentDesk.of({ journal: new MemoryJournal(first) });
    await bench.receive('nginx restart');
    expect(bench.heard()).to.deep.equal(['journal owe', 'm1 result 0']);
  });

  it('that comes again while it waits or runs is acknowledged again', async () => {
    const bench = await AgentDesk.of();
    bench.processes.hold('service nginx restart');
    await bench.receive('nginx restart', { id: otherId });
    bench.heard();
    await bench.receive('nginx restart');
    await bench.receive('nginx restart');
    expect(bench.heard()).to.deep.equal(['m1 ack queued', 'm1 ack queued']);
    bench.processes.release('service nginx restart');
    await bench.settle();
    expect(bench.heard()).to.include.members(['m1 ack running']);
    await bench.receive('nginx restart');
    expect(bench.heard()).to.deep.equal(['m1 ack running']);
  });

  it('is answered to every manager that asked while it ran', async () => {
    const bench = await AgentDesk.of({ managers: ['m1', 'm2'] });
    bench.processes.hold('service nginx restart');
    await bench.receive('nginx restart');
    await bench.receive('nginx restart', {}, bench.linkTo('m2'));
    bench.heard();
    bench.processes.release('service nginx restart');
    await bench.settle();
    expect(bench.heard()).to.have.members(['journal finish', 'm1 result 0', 'm2 result 0']);
    expect(bench.journal.undelivered().map(({ manager }) => manager)).to.have.members([
      'ipc:///run/m1',
      'ipc:///run/m2',
    ]);
  });

  it('is refused, and not run, when that cannot be journaled', async () => {
    const bench = await AgentDesk.of();
    bench.failing = ['start', 'finish'];
    await bench.receive('nginx restart');
    expect(bench.heard()).to.deep.equal(['m1 ack running', 'm1 result JOURNAL_UNAVAILABLE']);
    expect(bench.log.named('journal.failed')).to.have.length(1);
    expect(bench.processes.runs).to.deep.equal([]);
  });

  it('is not run when the journal knows it after all', async () => {
    const journal = new MemoryJournal();
    const bench = await AgentDesk.of({ journal });
    bench.processes.hold('service nginx restart');
    await bench.receive('nginx restart', { id: otherId });
    await bench.receive('nginx restart');
    journal.cancel(id, 0);
    bench.heard();
    bench.processes.release('service nginx restart');
    await bench.settle();
    expect(bench.heard()).to.include('m1 result CANCELLED');
    expect(bench.processes.runs).to.have.length(1);
  });

  it('is answered also when its end cannot be journaled', async () => {
    const bench = await AgentDesk.of();
    bench.failing = ['finish'];
    await bench.receive('nginx restart');
    expect(bench.heard().at(-1)).to.equal('m1 result 0');
    bench.failing = [];
    await bench.receive('nginx restart');
    expect(bench.heard()).to.deep.equal(['m1 result INTERRUPTED']);
    expect(bench.processes.runs).to.have.length(1);
  });
});

describe('a request that only reads', () => {
  it('needs no journal', async () => {
    const bench = await AgentDesk.of();
    bench.failing = ['start', 'finish', 'cancel', 'owe', 'delivered', 'prune'];
    await bench.receive('nginx status');
    expect(bench.heard()).to.deep.equal(['run nginx status', 'm1 ack running', 'm1 result 0']);
    expect(bench.desk.undelivered).to.equal(1);
  });

  it('is run again when it is asked for again', async () => {
    const bench = await AgentDesk.of();
    await bench.receive('nginx status');
    await bench.receive('nginx status');
    expect(bench.processes.runs).to.have.length(2);
  });
});

describe('a request that is not run', () => {
  it('because its time is over by more than clocks may differ', async () => {
    const bench = await AgentDesk.of();
    const now = bench.clock.wallMs();
    await bench.receive('nginx restart', { notAfterMs: now - 30_000 });
    expect(bench.heard().at(-1)).to.equal('m1 result 0');
    await bench.receive('nginx restart', { id: otherId, notAfterMs: now - 30_001 });
    expect(bench.heard()).to.deep.equal(['m1 result REQUEST_EXPIRED']);
    expect(bench.journal.find(otherId)).to.equal(undefined);
  });

  it('because its time was over when its turn came', async () => {
    const bench = await AgentDesk.of();
    bench.processes.hold('service nginx restart');
    await bench.receive('nginx restart');
    await bench.receive('nginx status', { id: otherId, notAfterMs: bench.clock.wallMs() });
    await bench.clock.advanceAsync(30_001);
    bench.heard();
    bench.processes.release('service nginx restart');
    await bench.settle();
    expect(bench.heard()).to.have.members(['journal finish', 'm1 result 0', 'm1 result REQUEST_EXPIRED']);
    expect(bench.processes.runs).to.deep.equal(['service nginx restart']);
  });

  it('because the action is not allowed, and says so again', async () => {
    const bench = await AgentDesk.of();
    for (let count = 0; count < 2; count += 1) {
      await bench.receive('nginx explode');
      expect(bench.heard().at(-1)).to.equal('m1 result ACTION_NOT_ALLOWED');
    }
  });

  it('because too many wait', async () => {
    const bench = await AgentDesk.of({ maxTasks: 1 });
    bench.processes.hold('service nginx restart');
    await bench.receive('nginx restart');
    await bench.receive('nginx status', { id: otherId });
    expect(bench.heard().at(-1)).to.equal('m1 result TOO_BUSY');
  });

  it('because its message could not be read, which the door has logged', async () => {
    const bench = await AgentDesk.of();
    bench.desk.refused(id, 'INVALID_MESSAGE', 'no good', bench.link);
    await bench.settle();
    expect(bench.heard()).to.deep.equal(['m1 result INVALID_MESSAGE']);
    expect(bench.log.events).to.deep.equal([]);
  });
});

describe('an agent whose name another one uses', () => {
  const conflict = [boots.parse('b'.repeat(32)), boots.parse('c'.repeat(32))];

  it('does not serve who has warned it for 20 s after the last warning', async () => {
    const bench = await AgentDesk.of();
    bench.desk.conflict(conflict, bench.link);
    await bench.clock.advanceAsync(15_000);
    bench.desk.conflict(conflict, bench.link);
    for (const command of ['nginx restart', 'nginx status']) await bench.receive(command);
    expect(bench.heard()).to.deep.equal(['m1 result NAME_CONFLICT', 'm1 result NAME_CONFLICT']);
    await bench.clock.advanceAsync(19_999);
    await bench.receive('nginx status');
    expect(bench.heard()).to.deep.equal(['m1 result NAME_CONFLICT']);
    await bench.clock.advanceAsync(1);
    await bench.receive('nginx status');
    expect(bench.heard().at(-1)).to.equal('m1 result 0');
    expect(bench.processes.runs).to.deep.equal(['service nginx status']);
  });

  it('still serves a manager that has not warned it', async () => {
    const bench = await AgentDesk.of({ managers: ['m1', 'm2'] });
    bench.desk.conflict(conflict, bench.link);
    await bench.receive('nginx status', { id: otherId });
    await bench.receive('nginx status', {}, bench.linkTo('m2'));
    expect(bench.heard().filter((said) => said.includes('result'))).to.deep.equal([
      'm1 result NAME_CONFLICT',
      'm2 result 0',
    ]);
    bench.desk.conflict(conflict, bench.linkTo('m2'));
    expect(bench.log.named('node.name_conflict').map(({ fields }) => fields['manager'])).to.deep.equal([
      'ipc:///run/m1',
      'ipc:///run/m2',
    ]);
  });

  it('logs it once as long as it lasts', async () => {
    const bench = await AgentDesk.of();
    for (let count = 0; count < 10; count += 1) {
      bench.desk.conflict(conflict, bench.link);
      await bench.clock.advanceAsync(5_000);
    }
    expect(bench.log.named('node.name_conflict')).to.have.length(1);
    await bench.clock.advanceAsync(20_000);
    bench.desk.conflict(conflict, bench.link);
    expect(bench.log.named('node.name_conflict')).to.have.length(2);
    const [{ level, fields } = { level: '', fields: {} }] = bench.log.named('node.name_conflict');
    const manager = 'ipc:///run/m1';
    expect([level, fields]).to.deep.equal(['error', { boots: conflict, ours: 'b'.repeat(32), manager }]);
  });

  it('lets go on what it had begun', async () => {
    const bench = await AgentDesk.of();
    bench.processes.hold('service nginx restart');
    await bench.receive('nginx restart');
    bench.desk.conflict(conflict, bench.link);
    await bench.receive('nginx restart');
    bench.processes.release('service nginx restart');
    await bench.settle();
    expect(bench.heard().slice(-2)).to.deep.equal(['journal finish', 'm1 result 0']);
  });
});

describe('a request that is cancelled', () => {
  it('while it runs is ended', async () => {
    const bench = await AgentDesk.of();
    bench.processes.hold('service nginx restart');
    await bench.receive('nginx restart');
    bench.heard();
    bench.desk.cancel(id, undefined, bench.link);
    await bench.settle();
    expect(bench.heard()).to.deep.equal(['journal finish', 'm1 result CANCELLED']);
    expect(bench.processes.held).to.deep.equal([]);
  });

  it('before it came is answered, and never run', async () => {
    const bench = await AgentDesk.of();
    bench.desk.cancel(id, undefined, bench.link);
    await bench.settle();
    expect(bench.heard()).to.deep.equal(['journal cancel', 'm1 result CANCELLED']);
    await bench.receive('nginx restart');
    expect(bench.heard()).to.deep.equal(['m1 result CANCELLED']);
    expect(bench.processes.runs).to.deep.equal([]);
  });

  it('again while its answer is on its way is not answered twice', async () => {
    const bench = await AgentDesk.of();
    for (let count = 0; count < 3; count += 1) bench.desk.cancel(id, undefined, bench.link);
    await bench.settle();
    expect(bench.heard()).to.deep.equal(['journal cancel', 'm1 result CANCELLED']);
  });

  it('after it was done gets the answer of the action', async () => {
    const bench = await AgentDesk.of({ managers: ['m1', 'm2'] });
    await bench.receive('nginx restart');
    bench.heard();
    bench.desk.cancel(id, undefined, bench.linkTo('m2'));
    await bench.settle();
    expect(bench.heard()).to.deep.equal(['journal cancel', 'journal owe', 'm2 result 0']);
  });

  it('is not said to be, when that cannot be journaled', async () => {
    const bench = await AgentDesk.of();
    bench.failing = ['cancel'];
    bench.desk.cancel(id, undefined, bench.link);
    await bench.settle();
    expect(bench.heard()).to.deep.equal([]);
    expect(bench.log.named('journal.failed')).to.have.length(1);
  });
});

describe('an answer', () => {
  it('is sent again until its manager has stored it', async () => {
    const bench = await AgentDesk.of();
    await bench.receive('nginx restart');
    bench.heard();
    for (const atMs of [1_000, 3_000]) {
      await bench.clock.advanceAsync(atMs - bench.clock.now());
      bench.desk.tick();
    }
    await bench.settle();
    expect(bench.heard().filter((said) => said === 'm1 result 0')).to.have.length(2);
    bench.desk.stored(id, bench.link);
    expect(bench.heard()).to.deep.equal(['journal delivered']);
    expect([bench.desk.undelivered, bench.journal.undelivered()]).to.deep.equal([0, []]);
    await bench.clock.advanceAsync(60_000);
    bench.desk.tick();
    await bench.settle();
    expect(bench.heard()).to.deep.equal(['journal prune']);
  });

  it('that was confirmed before is confirmed in silence', async () => {
    const bench = await AgentDesk.of();
    await bench.receive('nginx restart');
    bench.desk.stored(id, bench.link);
    bench.heard();
    bench.desk.stored(id, bench.link);
    bench.desk.stored(otherId, bench.link);
    expect(bench.heard()).to.deep.equal([]);
  });

  it('is owed to the other manager as long as that has not stored it', async () => {
    const bench = await AgentDesk.of({ managers: ['m1', 'm2'] });
    await bench.receive('nginx restart');
    await bench.receive('nginx restart', {}, bench.linkTo('m2'));
    bench.desk.stored(id, bench.link);
    expect(bench.desk.undelivered).to.equal(1);
    expect(bench.journal.undelivered().map(({ manager }) => manager)).to.deep.equal(['ipc:///run/m2']);
  });

  it('to a v1 manager is sent once, and journaled as delivered', async () => {
    const bench = await AgentDesk.of({ protocol: 'v1' });
    await bench.receive('nginx restart');
    expect(bench.heard().filter((said) => said.startsWith('m1'))).to.deep.equal(['m1 result 0']);
    expect([bench.desk.undelivered, bench.journal.undelivered()]).to.deep.equal([0, []]);
    expect(bench.journal.find(id)).to.include({ state: 'done' });
  });
});

describe('an agent that starts', () => {
  function journalWith(state: 'started' | 'done'): MemoryJournal {
    const journal = new MemoryJournal();
    journal.start({ id, service: 'nginx', action: 'restart', atWallMs: 0 });
    const payload = Answer.encode(new Answers(node, host).trouble(id, 'CANCELLED', 'was cancelled'));
    const managers = ['ipc:///run/m1', 'ipc:///run/gone'];
    if (state === 'done') journal.finish(id, payload, managers, 0);
    return new MemoryJournal(journal);
  }

  it('says to all its managers what was interrupted', async () => {
    const bench = await AgentDesk.of({ journal: journalWith('started'), managers: ['m1', 'm2'] });
    bench.desk.restore(bench.links);
    await bench.settle();
    expect(bench.heard()).to.have.members([
      'journal finish',
      'm1 result INTERRUPTED',
      'm2 result INTERRUPTED',
    ]);
    expect(bench.log.named('request.interrupted')[0]?.fields).to.deep.equal({
      id,
      service: 'nginx',
      action: 'restart',
    });
    expect(bench.desk.undelivered).to.equal(2);
    await bench.receive('nginx restart');
    expect(bench.processes.runs).to.deep.equal([]);
  });

  it('says so also when the journal cannot be written', async () => {
    const bench = await AgentDesk.of({ journal: journalWith('started') });
    bench.failing = ['finish'];
    bench.desk.restore(bench.links);
    await bench.settle();
    expect(bench.heard()).to.deep.equal(['m1 result INTERRUPTED']);
  });

  it('sends what was not stored, but not for a manager that it serves no more', async () => {
    const bench = await AgentDesk.of({ journal: journalWith('done') });
    bench.desk.restore(bench.links);
    await bench.settle();
    expect(bench.heard()).to.have.members(['m1 result CANCELLED', 'journal delivered']);
    expect(bench.journal.undelivered().map(({ manager }) => manager)).to.deep.equal(['ipc:///run/m1']);
  });

  it('has nothing to say when nothing was left', async () => {
    const bench = await AgentDesk.of();
    bench.desk.restore(bench.links);
    await bench.settle();
    expect(bench.heard()).to.deep.equal([]);
  });
});

describe('the journal', () => {
  it('is pruned once a minute', async () => {
    const bench = await AgentDesk.of();
    for (let now = 0; now < 180_000; now += 250) {
      bench.desk.tick();
      await bench.clock.advanceAsync(250);
    }
    expect(bench.heard()).to.deep.equal(['journal prune', 'journal prune', 'journal prune']);
  });

  it('that cannot be pruned is logged', async () => {
    const bench = await AgentDesk.of();
    bench.failing = ['prune'];
    bench.desk.tick();
    expect(bench.log.named('journal.failed')).to.have.length(1);
  });
});

describe('a bug of ours', () => {
  it('ends the agent', async () => {
    const bench = await AgentDesk.of();
    const broken = new Error('a bug');
    bench.processes.answer('service nginx status', () => {
      throw broken;
    });
    await bench.receive('nginx status');
    expect(bench.failures).to.deep.equal([broken]);
  });
});
