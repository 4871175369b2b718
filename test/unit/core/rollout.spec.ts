import { expect } from 'chai';
import type { LedgerEvent } from '../../../src/core/ledger-events.ts';
import { Rollout, type RolloutPlan } from '../../../src/core/rollout.ts';
import { RolloutRun, type RolloutRunEffect } from '../../../src/core/rollout-run.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, RequestId } from '../../../src/wire/fields.ts';
import { type Outcome, outcomes } from '../../../src/wire/outcome.ts';

const node = message('node', 300, NodeName).parse;
const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const options = { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000, jitter: () => 0.5 };
const tick: LedgerEvent = { kind: 'tick' };
const cancel: LedgerEvent = { kind: 'cancel' };
const windowMs = 60_000;

interface Opening extends Partial<Omit<RolloutPlan, 'nodes'>> {
  readonly alive: readonly string[];
  readonly dead?: readonly string[];
  readonly conflicted?: readonly string[];
}

/** A rollout that is begun at 0. What it has the manager do stands in `did`, in words. */
class Played {
  readonly did: string[] = [];
  readonly plan: RolloutPlan;
  #run: RolloutRun;

  constructor({ alive, dead = [], conflicted = [], ...rest }: Opening) {
    const aimed = (isAlive: boolean, isRefused: boolean) => (name: string) => {
      return { node: node(name), isAlive, isRefused };
    };
    const nodes = [
      ...alive.map(aimed(true, false)),
      ...dead.map(aimed(false, false)),
      ...conflicted.map(aimed(true, true)),
    ];
    const limits = { batch: 1, canary: 0, pauseMs: 0, maxFail: 0, windowMs, ...rest };
    this.plan = { nodes: alive.map(node), ...limits };
    this.#run = RolloutRun.open({ id, nodes, withheld: 0 }, this.plan, options, 0);
    this.step(tick, 0);
  }

  step(event: LedgerEvent, now: number): readonly RolloutRunEffect[] {
    const effects = this.#run.step(event, now);
    for (const effect of effects) {
      if (effect.kind === 'ask' || effect.kind === 'cancel') this.did.push(`${effect.kind} ${effect.node}`);
      if (effect.kind === 'end') this.did.push('end');
    }
    return effects;
  }

  answer(name: string, outcome: Outcome = 'ok', now = 10): void {
    this.step({ kind: 'result', node: node(name), isV1: false, outcome }, now);
  }

  ack(name: string, now = 10): void {
    this.step({ kind: 'ack', node: node(name), phase: 'running' }, now);
  }

  lose(name: string, now = 10): void {
    this.step({ kind: 'lost', node: node(name) }, now);
  }

  comeBack(name: string, now = 10): void {
    this.step({ kind: 'back', node: node(name) }, now);
  }

  get stop() {
    return this.#run.progress().stop;
  }

  get progress() {
    return this.#run.progress();
  }

  get outcomes(): Record<string, Outcome | undefined> {
    return Object.fromEntries(this.#run.ledger.entries().map(({ node, outcome }) => [node, outcome]));
  }
}

function started({ did }: Played): string[] {
  return did.filter((word) => word.startsWith('ask ')).map((word) => word.slice(4));
}

describe('a rollout', () => {
  it('starts one batch at first, in the order of its plan', () => {
    expect(new Played({ alive: ['web3', 'web1', 'web2'], batch: 2 }).did).to.deep.equal([
      'ask web3',
      'ask web1',
    ]);
  });

  it('starts the next batch when each node of the one before has its outcome', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3', 'web4'], batch: 2 });
    rollout.answer('web2');
    expect(started(rollout)).to.deep.equal(['web1', 'web2']);
    rollout.answer('web1');
    expect(started(rollout)).to.deep.equal(['web1', 'web2', 'web3', 'web4']);
  });

  it('ends when the last node has its outcome, and has not stopped then', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    rollout.answer('web1');
    rollout.answer('web2');
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web2', 'end']);
    expect(rollout.stop).to.equal(undefined);
  });

  it('ends at once when there is nobody to start', () => {
    expect(new Played({ alive: [], dead: ['db1'] }).did).to.deep.equal(['end']);
  });

  it('has a smaller last batch when the nodes do not come out even', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 2 });
    rollout.answer('web1');
    rollout.answer('web2');
    expect(started(rollout)).to.deep.equal(['web1', 'web2', 'web3']);
    rollout.answer('web3');
    expect(rollout.did.at(-1)).to.equal('end');
    expect(rollout.progress).to.deep.include({ batch: 2, batches: 2, started: 3 });
  });

  it('may have a batch that is larger than the fleet', () => {
    expect(started(new Played({ alive: ['web1', 'web2'], batch: 9 }))).to.deep.equal(['web1', 'web2']);
  });

  it('pauses behind a batch, counted from its last outcome, and not before the first', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], pauseMs: 5_000 });
    expect(started(rollout)).to.deep.equal(['web1']);
    rollout.answer('web1', 'ok', 2_000);
    rollout.step(tick, 6_999);
    expect(started(rollout)).to.deep.equal(['web1']);
    rollout.step(tick, 7_000);
    expect(started(rollout)).to.deep.equal(['web1', 'web2']);
  });

  it('does not pause behind the last batch', () => {
    const rollout = new Played({ alive: ['web1'], pauseMs: 5_000 });
    rollout.answer('web1');
    expect(rollout.did.at(-1)).to.equal('end');
  });

  it('gives each batch a window of its own', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], maxUnreachable: 2 });
    rollout.answer('web1', 'ok', 50_000);
    rollout.step(tick, 109_999);
    expect(rollout.outcomes['web2']).to.equal(undefined);
    rollout.step(tick, 110_000);
    expect(rollout.outcomes['web2']).to.equal('no-answer');
  });

  it('asks a silent node of the batch again, and nobody else', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    for (let now = 0; now <= 3_000; now += 100) rollout.step(tick, now);
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web1', 'ask web1']);
  });
});

describe('a listed node that is down at the start', () => {
  it('has no turn and holds up nobody', () => {
    const rollout = new Played({ alive: ['web1'], dead: ['db1'] });
    rollout.answer('web1');
    expect(rollout.did).to.deep.equal(['ask web1', 'end']);
    expect(rollout.outcomes).to.deep.equal({ web1: 'ok', db1: 'unreachable' });
    expect(rollout.stop).to.equal(undefined);
  });

  it('counts when a number of unreachable nodes is given: too many, and nobody is started', () => {
    const rollout = new Played({ alive: ['web1'], dead: ['db1', 'db2'], maxUnreachable: 1 });
    expect(rollout.did).to.deep.equal(['end']);
    expect(rollout.outcomes).to.deep.equal({ web1: 'cancelled', db1: 'unreachable', db2: 'unreachable' });
    expect(rollout.stop).to.deep.equal({
      reason: 'unreachable',
      text: '2 nodes unreachable or silent, at most 1 may: 1 node not started',
    });
  });

  it('uses up what may be unreachable when that is given', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], dead: ['db1'], maxUnreachable: 1 });
    expect(started(rollout)).to.deep.equal(['web1']);
    rollout.step(tick, windowMs);
    expect(rollout.stop?.reason).to.equal('unreachable');
  });

  it('stays unreachable when it comes back', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], dead: ['db1'] });
    rollout.comeBack('db1');
    rollout.answer('web1');
    rollout.answer('web2');
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web2', 'end']);
    expect(rollout.outcomes['db1']).to.equal('unreachable');
  });

  it('that is in conflict is refused, which is a failure', () => {
    const rollout = new Played({ alive: ['web1'], conflicted: ['db1'] });
    expect(rollout.did).to.deep.equal(['end']);
    expect(rollout.stop?.reason).to.equal('failures');
    expect(new Played({ alive: ['web1'], conflicted: ['db1'], maxFail: 1 }).did).to.deep.equal(['ask web1']);
  });
});

describe('a node that is lost', () => {
  it('at its turn is not started, and another takes its place', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], maxUnreachable: 1 });
    rollout.lose('web2');
    rollout.answer('web1');
    expect(started(rollout)).to.deep.equal(['web1', 'web3']);
    expect(rollout.outcomes).to.deep.equal({ web1: 'ok', web2: 'unreachable', web3: undefined });
  });

  it('at its turn stops the rollout when that is one too many, before anybody of the batch is started', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 1 });
    rollout.lose('web2');
    rollout.answer('web1');
    expect(rollout.did).to.deep.equal(['ask web1', 'end']);
    expect(rollout.stop?.reason).to.equal('unreachable');
  });

  it('and is back before its turn has its turn', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    rollout.lose('web2');
    rollout.comeBack('web2');
    rollout.answer('web1');
    expect(started(rollout)).to.deep.equal(['web1', 'web2']);
  });

  it('while it is at work is waited for, and asked again when it is back', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    rollout.lose('web1');
    rollout.comeBack('web1');
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web1']);
  });
});

describe('a batch that ends with everyone unreachable', () => {
  it('stops the rollout', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 2 });
    rollout.step(tick, windowMs);
    expect(rollout.outcomes).to.deep.equal({ web1: 'no-answer', web2: 'no-answer', web3: 'cancelled' });
    expect(rollout.stop).to.deep.equal({
      reason: 'unreachable',
      text: '2 nodes unreachable or silent, none may: 1 node not started',
    });
    expect(rollout.did.at(-1)).to.equal('end');
  });

  it('is followed by the next one when so many may be, and the rollout ends', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 2, maxUnreachable: 3 });
    rollout.step(tick, windowMs);
    expect(started(rollout)).to.deep.equal(['web1', 'web2', 'web3']);
    rollout.step(tick, 2 * windowMs);
    expect(rollout.did.at(-1)).to.equal('end');
    expect(rollout.stop).to.equal(undefined);
  });

  it('is no end without end when all of them are lost at their turn', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 1, maxUnreachable: 3 });
    rollout.lose('web2');
    rollout.lose('web3');
    rollout.answer('web1');
    expect(rollout.did).to.deep.equal(['ask web1', 'end']);
  });
});

describe('failures', () => {
  it('are counted over the whole run, however they are spread over the batches', () => {
    const alive = Array.from({ length: 10 }, (_, at) => `web${at}`);
    const rollout = new Played({ alive, batch: 2, maxFail: 2 });
    for (const [at, name] of alive.entries()) rollout.answer(name, at % 2 === 0 ? 'failed' : 'ok');
    // One of two in each batch, never more than half: the third is too many all the same.
    expect(started(rollout)).to.deep.equal(alive.slice(0, 6));
    expect(rollout.stop).to.deep.equal({
      reason: 'failures',
      text: '3 nodes failed, at most 2 may: 4 nodes not started',
    });
  });

  it('are none by default: the first one stops it', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    rollout.answer('web1', 'failed');
    expect(rollout.did).to.deep.equal(['ask web1', 'end']);
    expect(rollout.stop?.text).to.equal('1 node failed, none may: 1 node not started');
  });

  it('in the middle of a batch stop it when the others of the batch have answered', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 2 });
    rollout.answer('web1', 'failed');
    expect(rollout.stop?.reason).to.equal('failures');
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web2']);
    rollout.answer('web2');
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web2', 'end']);
    expect(rollout.outcomes).to.deep.equal({ web1: 'failed', web2: 'ok', web3: 'cancelled' });
  });

  it('in the middle of a batch stop it at the latest when its window ends', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 2 });
    rollout.answer('web1', 'failed');
    rollout.step(tick, windowMs);
    expect(rollout.outcomes).to.deep.equal({ web1: 'failed', web2: 'no-answer', web3: 'cancelled' });
    expect(rollout.did.at(-1)).to.equal('end');
  });

  it('of the last node stop it as well, although nobody is left', () => {
    const rollout = new Played({ alive: ['web1'] });
    rollout.answer('web1', 'failed');
    expect(rollout.stop?.reason).to.equal('failures');
  });

  for (const outcome of outcomes) {
    const silent: readonly Outcome[] = ['running', 'no-answer', 'unreachable'];
    const kind = outcome === 'ok' ? undefined : silent.includes(outcome) ? 'unreachable' : 'failures';
    it(`${outcome} stops it for ${kind ?? 'no reason'}`, () => {
      const rollout = new Played({ alive: ['web1', 'web2'] });
      rollout.answer('web1', outcome);
      expect(rollout.stop?.reason).to.equal(kind);
    });
  }
});

describe('a turn', () => {
  function waiting(...names: string[]): Rollout {
    const entries = names.map(
      (name) => ({ node: node(name), phase: 'waiting', outcome: undefined }) as const,
    );
    const limits = { batch: 1, canary: 0, pauseMs: 0, maxFail: 0, maxUnreachable: 2, windowMs };
    return new Rollout({ nodes: names.map(node), ...limits }, entries, 0);
  }

  it('comes once, also when nothing was heard of it since', () => {
    const rollout = waiting('web1', 'web2');
    const nodes = [node('web1')];
    expect(rollout.next(0, () => true)).to.deep.equal({ kind: 'release', nodes, endsAtMs: windowMs });
    expect(rollout.next(0, () => true)).to.equal(undefined);
    expect(rollout.next(10 * windowMs, () => true)).to.equal(undefined);
  });

  it('is over for a node that is not there, also when nothing was heard of it since', () => {
    const rollout = waiting('web1', 'web2');
    expect(rollout.next(0, () => false)).to.deep.equal({ kind: 'skip', nodes: [node('web1')] });
    expect(rollout.next(0, () => false)).to.deep.equal({ kind: 'skip', nodes: [node('web2')] });
    expect(rollout.next(0, () => true)).to.deep.equal({ kind: 'done' });
    expect(rollout.next(0, () => true)).to.equal(undefined);
  });
});

describe('a canary', () => {
  it('is a first batch of its own', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3', 'web4'], canary: 1, batch: 3 });
    expect(started(rollout)).to.deep.equal(['web1']);
    expect(rollout.progress.batches).to.equal(2);
    rollout.answer('web1');
    expect(started(rollout)).to.deep.equal(['web1', 'web2', 'web3', 'web4']);
  });

  it('stops it when it does not go well everywhere, whatever the limits', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], canary: 2, maxFail: 9, maxUnreachable: 9 });
    rollout.answer('web1');
    rollout.answer('web2', 'unverified');
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web2', 'end']);
    expect(rollout.stop).to.deep.equal({
      reason: 'canary',
      text: 'web2 of the canary is not ok: 1 node not started',
    });
  });

  it('stops it when it does not answer, even if it does later', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], canary: 1, maxUnreachable: 9 });
    rollout.step(tick, windowMs);
    rollout.answer('web1', 'ok', windowMs + 1);
    expect(rollout.stop?.reason).to.equal('canary');
    expect(started(rollout)).to.deep.equal(['web1']);
  });

  it('has no say in the limits once it has gone well', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], canary: 1, maxFail: 1 });
    rollout.answer('web1');
    rollout.answer('web2', 'failed');
    expect(started(rollout)).to.deep.equal(['web1', 'web2', 'web3']);
  });
});

describe('a node that answers twice', () => {
  it('counts once', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], maxFail: 1 });
    rollout.answer('web1', 'failed');
    rollout.answer('web1', 'failed');
    expect(rollout.progress.counts).to.deep.include({ failed: 1, working: 1 });
    expect(rollout.stop).to.equal(undefined);
  });

  it('says nothing new the second time', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    rollout.answer('web1', 'ok');
    rollout.answer('web1', 'failed');
    expect(rollout.progress.counts).to.deep.include({ ok: 1, failed: 0 });
  });

  it('does not make room for another', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3', 'web4'], batch: 2 });
    rollout.answer('web1');
    rollout.answer('web1');
    expect(started(rollout)).to.deep.equal(['web1', 'web2']);
  });
});

describe('a late answer', () => {
  it('gives back what was used up of the limit when it is ok', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], maxUnreachable: 1 });
    rollout.step(tick, windowMs);
    rollout.answer('web1', 'ok', windowMs + 1);
    expect(rollout.progress.counts).to.deep.include({ ok: 1, unreachable: 0 });
    rollout.step(tick, 2 * windowMs);
    expect(rollout.stop).to.equal(undefined);
    expect(started(rollout)).to.deep.equal(['web1', 'web2', 'web3']);
  });

  it('moves the node over to the failed ones when it is not', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], maxUnreachable: 1 });
    rollout.step(tick, windowMs);
    rollout.answer('web1', 'failed', windowMs + 1);
    expect(rollout.progress.counts).to.deep.include({ failed: 1, unreachable: 0, working: 1 });
    expect(rollout.stop?.reason).to.equal('failures');
  });

  it('does not take back a stop', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'] });
    // Whoever asked it: it is at work, and nobody here waits for it.
    rollout.ack('web3');
    expect(rollout.stop?.reason).to.equal('unreachable');
    rollout.answer('web3');
    rollout.answer('web1');
    expect(rollout.did).to.deep.equal(['ask web1', 'end']);
    expect(rollout.outcomes).to.deep.equal({ web1: 'ok', web2: 'cancelled', web3: 'ok' });
  });

  it('that it is at work does not make it one of the next batch', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], maxUnreachable: 1 });
    rollout.step(tick, windowMs);
    rollout.ack('web1', windowMs + 1);
    expect(rollout.outcomes).to.deep.include({ web1: 'running', web2: undefined });
    rollout.answer('web2', 'ok', windowMs + 2);
    expect(started(rollout)).to.deep.equal(['web1', 'web2', 'web3']);
  });
});

describe('a health check that hangs', () => {
  it('is running when the window of its batch ends, and one too many', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    rollout.ack('web1', 100);
    for (let now = 1_000; now <= windowMs; now += 1_000) rollout.step(tick, now);
    expect(rollout.outcomes).to.deep.equal({ web1: 'running', web2: 'cancelled' });
    expect(rollout.stop?.reason).to.equal('unreachable');
    expect(rollout.did.at(-1)).to.equal('end');
  });
});

describe('a cancelled rollout', () => {
  it('starts nobody any more, tells those at work, and ends when they have answered', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 2 });
    rollout.answer('web1');
    rollout.step(cancel, 100);
    expect(rollout.outcomes).to.deep.equal({ web1: 'ok', web2: undefined, web3: 'cancelled' });
    rollout.answer('web2', 'ok', 200);
    expect(rollout.did).to.deep.equal(['ask web1', 'ask web2', 'cancel web2', 'end']);
    expect(rollout.stop).to.deep.equal({ reason: 'cancelled', text: 'cancelled: 1 node not started' });
  });

  it('says so when nobody was left to start', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], batch: 2 });
    rollout.step(cancel, 100);
    expect(rollout.stop?.text).to.equal('cancelled: every node had been started');
  });

  it('ends after the grace when they do not', () => {
    const rollout = new Played({ alive: ['web1', 'web2'] });
    rollout.step(cancel, 100);
    rollout.step(tick, 10_099);
    expect(rollout.did).to.not.include('end');
    rollout.step(tick, 10_100);
    expect(rollout.did.at(-1)).to.equal('end');
  });

  it('ends at once in a pause', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], pauseMs: 5_000 });
    rollout.answer('web1');
    rollout.step(cancel, 100);
    expect(rollout.did).to.deep.equal(['ask web1', 'end']);
    expect(rollout.outcomes).to.deep.equal({ web1: 'ok', web2: 'cancelled' });
  });

  it('keeps the reason that it was stopping for already', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3'], batch: 2 });
    rollout.answer('web1', 'failed');
    rollout.step(cancel, 100);
    expect(rollout.stop?.reason).to.equal('failures');
  });

  it('was not cancelled when it was over before', () => {
    const rollout = new Played({ alive: ['web1'] });
    rollout.answer('web1');
    rollout.step(cancel, 100);
    expect(rollout.stop).to.equal(undefined);
  });
});

describe('the progress of a rollout', () => {
  it('says which batch is at work and until when', () => {
    const { progress } = new Played({ alive: ['web1', 'web2', 'web3'], dead: ['db1'], batch: 2 });
    expect(progress).to.deep.equal({
      ...{ batch: 1, batches: 2, started: 2, isPausing: false, untilMs: windowMs, stop: undefined },
      counts: { unstarted: 1, working: 2, ok: 0, failed: 0, unreachable: 1 },
    });
  });

  it('says when the pause ends', () => {
    const rollout = new Played({ alive: ['web1', 'web2'], pauseMs: 5_000 });
    rollout.answer('web1', 'ok', 1_000);
    expect(rollout.progress).to.deep.include({ batch: 1, isPausing: true, untilMs: 6_000 });
  });

  it('says at the end how many were never started', () => {
    const rollout = new Played({ alive: ['web1', 'web2', 'web3', 'web4'], canary: 1, batch: 2 });
    rollout.answer('web1', 'failed');
    expect(rollout.progress).to.deep.include({ batch: 1, batches: 3, started: 1, isPausing: false });
    expect(rollout.progress.untilMs).to.equal(undefined);
    expect(rollout.progress.counts).to.deep.include({ unstarted: 3, failed: 1 });
  });
});
