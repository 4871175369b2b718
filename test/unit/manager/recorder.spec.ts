import { expect } from 'chai';
import { Roster } from '../../../src/core/roster.ts';
import { Recorder } from '../../../src/manager/recorder.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { memberOf } from '../../fakes/manager-desks.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';
import { idOf, storedAnswer, storedRequest } from '../../fakes/stored-requests.ts';

const web1 = 'web1' as NodeName;
const web2 = 'web2' as NodeName;

/** A recorder on a store that knows two requests; `done` says what was done, in order. */
function recording() {
  const clock = new ManualClock();
  const log = new RecordedLog();
  const store = new MemoryStore();
  for (const number of [1, 2]) store.openRequest(storedRequest(number), []);
  const done: string[] = [];
  const failing = new Set<string>();
  const watched: Store = new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]): unknown => {
        if (failing.has(String(name))) throw new ServiceManagerError('STORE_UNUSABLE', 'disk full');
        const [first] = args;
        done.push(Array.isArray(first) ? `${String(name)} ${first.length}` : String(name));
        return Reflect.apply(method, target, args);
      };
    },
  });
  const recorder = new Recorder({
    ...{ store: watched, clock, log },
    onStored: (id, node) => done.push(`stored ${Number(id)} ${node}`),
  });
  return { clock, log, store, done, failing, recorder };
}

function member(name: string) {
  const roster = new Roster({ lostAfterMs: 15_000, reconnectGraceMs: 2_000 });
  roster.restore([memberOf(name)], { ms: 0, wallMs: 0 });
  const [known] = roster.all();
  if (known === undefined) throw new Error('no member');
  return known;
}

describe('what is recorded', () => {
  it('waits a few milliseconds for more, and is written as one', () => {
    const { clock, done, recorder } = recording();
    for (const node of ['web1', 'web2', 'web3']) {
      recorder.answer(storedAnswer(1, node));
      clock.advance(1);
    }
    expect(done).to.deep.equal([]);
    clock.advance(2);
    expect(done).to.deep.equal(['saveAnswers 3']);
    clock.advance(60_000);
    expect(done).to.have.length(1);
  });

  it('is one write also when it is much', () => {
    const { clock, done, recorder, store } = recording();
    for (let count = 0; count < 2_000; count += 1) recorder.answer(storedAnswer(1, `node${count}`));
    clock.advance(5);
    expect(done).to.deep.equal(['saveAnswers 2000']);
    expect(store.entries(idOf(1))).to.have.length(2_000);
  });

  it('is written in the order nodes, answers, ends; then the agents are told', () => {
    const { clock, done, recorder } = recording();
    recorder.confirm(idOf(1), web1);
    recorder.end(idOf(1), 1_234);
    recorder.answer(storedAnswer(1, 'web1'));
    recorder.member(member('web1'));
    clock.advance(5);
    expect(done).to.deep.equal(['saveMember', 'saveAnswers 1', 'updateRequest', 'stored 1 web1']);
  });

  it('of one node is only its last state', () => {
    const { clock, done, recorder, store } = recording();
    recorder.member(member('web1'));
    recorder.member({ ...member('web1'), presence: 'lost' });
    recorder.member(member('web2'));
    clock.advance(5);
    expect(done).to.deep.equal(['saveMember', 'saveMember']);
    expect(store.members().map(({ presence }) => presence)).to.deep.equal(['lost', 'alive']);
  });

  it('can be written at once', () => {
    const { clock, done, recorder } = recording();
    recorder.answer(storedAnswer(1, 'web1'));
    recorder.flush();
    expect(done).to.deep.equal(['saveAnswers 1']);
    clock.advance(60_000);
    expect(done).to.have.length(1);
    expect(clock.pending).to.deep.equal([]);
  });

  it('is nothing when nothing is there', () => {
    const { done, recorder } = recording();
    recorder.flush();
    expect(done).to.deep.equal([]);
  });
});

describe('a confirmation', () => {
  it('comes also when there is nothing to store any more: the first one was lost', () => {
    const { clock, done, recorder } = recording();
    recorder.confirm(idOf(1), web1);
    clock.advance(5);
    expect(done).to.deep.equal(['stored 1 web1']);
  });

  it('goes to each node of each request once', () => {
    const { clock, done, recorder } = recording();
    for (const number of [1, 2]) for (const node of [web1, web2, web1]) recorder.confirm(idOf(number), node);
    clock.advance(5);
    expect(done).to.deep.equal(['stored 1 web1', 'stored 1 web2', 'stored 2 web1', 'stored 2 web2']);
  });
});

describe('what cannot be written', () => {
  it('is kept, and tried again every second', () => {
    const { clock, done, failing, recorder, log, store } = recording();
    failing.add('saveAnswers');
    recorder.answer(storedAnswer(1, 'web1'));
    recorder.confirm(idOf(1), web1);
    clock.advance(10_004);
    expect(done).to.deep.equal([]);
    expect(log.named('store.failed')).to.have.length(10);
    expect(log.named('store.failed')[0]?.fields).to.include({ answersWaiting: 1 });
    failing.clear();
    recorder.answer(storedAnswer(1, 'web2'));
    clock.advance(1_000);
    expect(done).to.deep.equal(['saveAnswers 2', 'stored 1 web1']);
    expect(store.entries(idOf(1))).to.have.length(2);
  });

  it('is tried at once when somebody asks for it', () => {
    const { clock, done, failing, recorder } = recording();
    failing.add('saveAnswers');
    recorder.answer(storedAnswer(1, 'web1'));
    clock.advance(100);
    failing.clear();
    recorder.flush();
    expect(done).to.deep.equal(['saveAnswers 1']);
    clock.advance(60_000);
    expect(done).to.have.length(1);
  });

  for (const method of ['saveMember', 'updateRequest']) {
    it(`keeps back the confirmations, when it is ${method}`, () => {
      const { clock, done, failing, recorder } = recording();
      failing.add(method);
      recorder.member(member('web1'));
      recorder.answer(storedAnswer(1, 'web1'));
      recorder.end(idOf(1), 1_234);
      recorder.end(idOf(2), 1_234);
      recorder.confirm(idOf(1), web1);
      clock.advance(5_000);
      expect(done.filter((call) => call.startsWith('stored'))).to.deep.equal([]);
      failing.clear();
      clock.advance(1_000);
      expect(done.filter((call) => call === 'saveMember')).to.have.length(1);
      expect(done.filter((call) => call.startsWith('saveAnswers'))).to.deep.equal(['saveAnswers 1']);
      expect(done.filter((call) => call === 'updateRequest')).to.have.length(2);
      expect(done.at(-1)).to.equal('stored 1 web1');
    });
  }

  it('at the end leaves no timer behind', () => {
    const { clock, failing, recorder, done } = recording();
    failing.add('saveAnswers');
    recorder.answer(storedAnswer(1, 'web1'));
    recorder.close();
    expect(clock.pending).to.deep.equal([]);
    expect(done).to.deep.equal([]);
  });

  it('because of a bug of ours ends the manager', () => {
    const { clock, recorder, store } = recording();
    store.saveAnswers = () => {
      throw new TypeError('a bug');
    };
    recorder.answer(storedAnswer(1, 'web1'));
    expect(() => clock.advance(5)).to.throw(TypeError, 'a bug');
  });
});
