import { expect } from 'chai';
import type { LedgerEvent, StoredEntry } from '../../../src/core/ledger-events.ts';
import type { RolloutPlan, RolloutState } from '../../../src/core/rollout.ts';
import { type PastRollout, RolloutRun, type RolloutRunEffect } from '../../../src/core/rollout-run.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, RequestId } from '../../../src/wire/fields.ts';
import { Outcome, Phase } from '../../../src/wire/outcome.ts';

const node = message('node', 300, NodeName).parse;
const outcome = message('outcome', 64, Outcome).parse;
const phase = message('phase', 64, Phase).parse;
const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const options = { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000, jitter: () => 0.5 };
const tick: LedgerEvent = { kind: 'tick' };
const plan: RolloutPlan = {
  nodes: ['web1', 'web2', 'web3'].map(node),
  ...{ batch: 1, canary: 0, pauseMs: 10_000, maxFail: 0, windowMs: 60_000 },
};

function opened(changes: Partial<RolloutPlan> = {}): RolloutRun {
  const nodes = plan.nodes.map((name) => ({ node: name, isAlive: true, isRefused: false }));
  return RolloutRun.open({ id, nodes, withheld: 0 }, { ...plan, ...changes }, options, 0);
}

/** `web1 done ok` as it is stored. */
function entryOf(line: string): StoredEntry {
  const [name = '', phased, decided] = line.split(' ');
  return {
    ...{ node: node(name), phase: phase(phased), isAnonymous: false },
    outcome: decided === undefined ? undefined : outcome(decided),
  };
}

/** The run that finds this in the store at 100 s. */
function restored(
  lines: readonly string[],
  state: RolloutState | undefined,
  changes: Partial<PastRollout> & { readonly limits?: Partial<RolloutPlan> } = {},
): RolloutRun {
  const { limits, ...rest } = changes;
  const past = { entries: lines.map(entryOf), state, isOver: false, isCancelled: false, isThere: () => true };
  const aim = { id, withheld: 0, endsAtMs: 0 };
  return RolloutRun.restore({ ...past, aim, plan: { ...plan, ...limits }, ...rest }, options, 100_000);
}

function words(effects: readonly RolloutRunEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'record') return `record ${effect.entry.node} ${effect.entry.outcome ?? '-'}`;
    return 'node' in effect ? `${effect.kind} ${effect.node}` : effect.kind;
  });
}

function answer(name: string, said: Outcome = 'ok'): LedgerEvent {
  return { kind: 'result', node: node(name), isV1: false, outcome: said };
}

/** When the first node is asked, with a tick every second from 100 s on. */
function askedAt(run: RolloutRun, untilMs = 300_000): string {
  for (let now = 100_000; now <= untilMs; now += 1_000) {
    const asked = words(run.step(tick, now)).filter((word) => word.startsWith('ask'));
    if (asked.length > 0) return `${asked.join(', ')} at ${now / 1_000} s`;
  }
  return 'nobody';
}

describe('what a rollout wants done', () => {
  it('is noted and saved before anybody is asked', () => {
    expect(words(opened().step(tick, 0))).to.deep.equal(['record web1 -', 'save', 'ask web1']);
  });

  it('is noted and saved before the end', () => {
    const run = opened();
    run.step(tick, 0);
    expect(words(run.step(answer('web1', 'failed'), 10))).to.deep.equal([
      ...['publish', 'record web1 failed', 'record web2 cancelled', 'record web3 cancelled', 'save', 'end'],
    ]);
  });

  it('is to ask nobody again once a limit was passed', () => {
    const run = opened({ batch: 2 });
    expect(words(run.step(tick, 0))).to.include.members(['ask web1', 'ask web2']);
    run.step(answer('web1', 'failed'), 10);
    const later = [1_000, 2_000, 4_000].flatMap((now) => words(run.step(tick, now)));
    expect(later.filter((word) => word.startsWith('ask'))).to.deep.equal([]);
  });

  it('is saved only when there is something new', () => {
    const run = opened();
    run.step(tick, 0);
    expect(words(run.step(tick, 100))).to.deep.equal([]);
    expect(words(run.step({ kind: 'ack', node: node('web1'), phase: 'running' }, 200))).to.deep.equal([
      'record web1 -',
    ]);
  });

  it('is nothing but a late answer when it is over', () => {
    const run = restored(['web1 asked no-answer', 'web2 waiting cancelled'], undefined, { isOver: true });
    expect(words(run.step(tick, 100_000))).to.deep.equal([]);
    expect(words(run.step(answer('web1'), 100_000))).to.deep.equal(['publish', 'record web1 ok']);
  });
});

describe('a rollout after a restart of the manager', () => {
  it('waits for the nodes at work as long as it would have', () => {
    const run = restored(['web1 running', 'web2 waiting', 'web3 waiting'], { batch: 1, endsAtMs: 125_000 });
    run.step(tick, 124_999);
    expect(run.ledger.entry(node('web1'))?.outcome).to.equal(undefined);
    run.step(tick, 125_000);
    expect(run.ledger.entry(node('web1'))?.outcome).to.equal('running');
  });

  it('gives the nodes at work a moment to answer when their time was over meanwhile', () => {
    const run = restored(['web1 asked', 'web2 waiting', 'web3 waiting'], { batch: 1, endsAtMs: 60_000 });
    expect(words(run.step(tick, 114_999))).to.not.include('end');
    expect(words(run.step(tick, 115_000))).to.deep.equal([
      ...['record web1 no-answer', 'record web2 cancelled', 'record web3 cancelled', 'save', 'end'],
    ]);
  });

  it('goes on with the pause', () => {
    const state = { batch: 1, resumesAtMs: 103_000 };
    const run = restored(['web1 done ok', 'web2 waiting', 'web3 waiting'], state);
    expect(askedAt(run)).to.equal('ask web2 at 103 s');
  });

  it('never pauses for longer than planned, wherever the clock was set meanwhile', () => {
    const state = { batch: 1, resumesAtMs: 9_000_000 };
    const run = restored(['web1 done ok', 'web2 waiting', 'web3 waiting'], state);
    expect(askedAt(run)).to.equal('ask web2 at 110 s');
  });

  it('never waits for longer than planned, wherever the clock was set meanwhile', () => {
    const run = restored(['web1 asked', 'web2 waiting', 'web3 waiting'], { batch: 1, endsAtMs: 9_000_000 });
    run.step(tick, 160_000);
    expect(run.ledger.isOver).to.equal(true);
  });

  it('knows who was started from the entries, although it was not saved', () => {
    const run = restored(['web1 done ok', 'web2 asked', 'web3 waiting'], { batch: 1, resumesAtMs: 100_000 });
    expect(askedAt(run)).to.equal('ask web2 at 100 s');
    run.step(tick, 159_999);
    expect(run.ledger.entry(node('web2'))?.outcome, 'a window of its own').to.equal(undefined);
    expect(run.progress()).to.deep.include({ batch: 2, batches: 3, started: 2 });
  });

  it('pauses in full when it is not known since when', () => {
    const run = restored(['web1 done ok', 'web2 done ok', 'web3 waiting'], { batch: 1, resumesAtMs: 9_000 });
    expect(askedAt(run)).to.equal('ask web3 at 110 s');
  });

  it('begins when nothing was saved', () => {
    const run = restored(['web1 waiting', 'web2 waiting', 'web3 waiting'], undefined);
    expect(askedAt(run)).to.equal('ask web1 at 100 s');
  });

  it('starts nobody who was passed over, and begins no batch for that', () => {
    const lines = ['web1 done ok', 'web2 asked unreachable', 'web3 waiting'];
    const limits = { maxUnreachable: 1 };
    const run = restored(lines, { batch: 1, resumesAtMs: 101_000 }, { limits });
    expect(run.progress()).to.deep.include({ batch: 1, batches: 2, started: 1 });
    expect(askedAt(run)).to.equal('ask web3 at 101 s');
  });

  it('stops for a limit that was passed, although that was not saved and is amended at once', () => {
    const lines = ['web1 asked no-answer', 'web2 waiting', 'web3 waiting'];
    const run = restored(lines, { batch: 1, endsAtMs: 60_000 });
    expect(words(run.step(answer('web1'), 100_000)).at(-1)).to.equal('end');
    expect(run.progress().stop?.reason).to.equal('unreachable');
  });

  it('keeps the reason that was saved', () => {
    const stop = { reason: 'failures', text: 'as it was' } as const;
    const run = restored(['web1 done failed', 'web2 asked', 'web3 waiting'], { batch: 2, stop });
    run.step(answer('web2'), 100_000);
    expect(run.progress().stop).to.deep.equal(stop);
    const over = restored(['web1 done ok'], { batch: 1, stop }, { isOver: true });
    expect(over.progress().stop).to.deep.equal(stop);
  });

  it('goes on cancelling, until the grace is over', () => {
    const run = restored(
      ['web1 running', 'web2 waiting cancelled', 'web3 waiting cancelled'],
      { batch: 1, endsAtMs: 150_000 },
      { isCancelled: true, aim: { id, withheld: 0, endsAtMs: 105_000 } },
    );
    expect(words(run.step(tick, 100_000))).to.deep.equal(['save', 'cancel web1']);
    expect(words(run.step(tick, 105_000))).to.deep.equal(['record web1 running', 'end']);
    expect(run.progress().stop?.reason).to.equal('cancelled');
  });

  it('goes on cancelling when only the rollout had noted it', () => {
    const stop = { reason: 'cancelled', text: 'cancelled' } as const;
    const run = restored(['web1 running', 'web2 waiting'], { batch: 1, endsAtMs: 150_000, stop });
    expect(words(run.step(tick, 100_000))).to.include('cancel web1');
  });

  it('starts nobody when some were cancelled and it is not known why', () => {
    const run = restored(['web1 done ok', 'web2 waiting cancelled', 'web3 waiting'], undefined);
    expect(words(run.step(tick, 200_000))).to.deep.equal(['record web3 cancelled', 'save', 'end']);
    expect(run.progress().stop?.reason).to.equal('cancelled');
    expect(run.progress().counts.failed).to.equal(0);
  });

  it('ends when the last answer had come and the end had not', () => {
    const run = restored(['web1 done ok', 'web2 done ok', 'web3 done ok'], { batch: 3, endsAtMs: 150_000 });
    expect(words(run.step(tick, 100_000)).at(-1)).to.equal('end');
    expect(run.progress().stop).to.equal(undefined);
  });

  it('passes over who is not there', () => {
    const lines = ['web1 waiting', 'web2 waiting', 'web3 waiting'];
    const isThere = (name: NodeName) => name !== 'web1';
    const run = restored(lines, undefined, { isThere, limits: { maxUnreachable: 1 } });
    expect(askedAt(run)).to.equal('ask web2 at 100 s');
  });
});

describe('a rollout with nodes for which a policy refuses it', () => {
  const denied = { node: node('db1'), isAlive: true, isRefused: true, isDenied: true };
  const asked = { node: node('web1'), isAlive: true, isRefused: false };
  const lines = ['db1 done refused', 'web1 waiting'];
  const alone = { ...plan, nodes: [asked.node], denied: [denied.node] };

  it('begins with the others, and counts those against nothing', () => {
    const run = RolloutRun.open({ id, nodes: [denied, asked], withheld: 0 }, alone, options, 0);
    expect(words(run.step(tick, 0))).to.include('ask web1');
    expect(run.progress()).to.deep.include({ batches: 1, started: 1, stop: undefined });
    expect(words(run.step(answer('web1'), 1_000)).at(-1)).to.equal('end');
    expect(run.progress().counts).to.include({ ok: 1, failed: 0 });
  });

  it('does so as well after a restart', () => {
    const run = restored(lines, undefined, { limits: alone });
    expect(words(run.step(tick, 200_000))).to.include('ask web1');
  });

  it('is stopped all the same by a node that refuses it and takes no part otherwise', () => {
    const run = RolloutRun.open({ id, nodes: [denied, asked], withheld: 0 }, alone, options, 0);
    run.step(answer('stray', 'refused'), 0);
    expect(run.progress().stop?.reason).to.equal('failures');
  });

  it('is stopped all the same by a node that refuses it when it has its turn', () => {
    const run = RolloutRun.open({ id, nodes: [denied, asked], withheld: 0 }, alone, options, 0);
    run.step(tick, 0);
    run.step(answer('web1', 'refused'), 1_000);
    expect(run.progress().stop?.reason).to.equal('failures');
  });

  it('is over at once when there are no others', () => {
    const nobody = { ...alone, nodes: [] };
    const run = RolloutRun.open({ id, nodes: [denied], withheld: 0 }, nobody, options, 0);
    expect(words(run.step(tick, 0)).at(-1)).to.equal('end');
    expect(run.progress().stop).to.equal(undefined);
  });
});
