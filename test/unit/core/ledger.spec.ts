import { expect } from 'chai';
import { Ledger, type LedgerOptions } from '../../../src/core/ledger.ts';
import type { LedgerEffect, LedgerEvent } from '../../../src/core/ledger-events.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, RequestId } from '../../../src/wire/fields.ts';
import type { Outcome } from '../../../src/wire/outcome.ts';
import type { AckPhase } from '../../../src/wire/presence.ts';

const node = message('node', 300, NodeName).parse;
const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const options: LedgerOptions = {
  firstPauseMs: 1_000,
  longestPauseMs: 10_000,
  cancelGraceMs: 10_000,
  jitter: () => 0.5,
};
const tick: LedgerEvent = { kind: 'tick' };
const cancel: LedgerEvent = { kind: 'cancel' };

interface Opening {
  readonly alive?: readonly string[];
  readonly dead?: readonly string[];
  readonly conflicted?: readonly string[];
  readonly anonymous?: number;
  readonly withheld?: number;
  readonly windowMs?: number;
  readonly isHeld?: boolean;
  readonly jitter?: LedgerOptions['jitter'];
}

/** A ledger opened at 0. */
function open(opening: Opening): Ledger {
  const { alive = [], dead = [], conflicted = [], jitter = options.jitter } = opening;
  const nodes = [
    ...alive.map((name) => ({ node: node(name), isAlive: true, isRefused: false })),
    ...dead.map((name) => ({ node: node(name), isAlive: false, isRefused: false })),
    ...conflicted.map((name) => ({ node: node(name), isAlive: true, isRefused: true })),
  ];
  const { anonymous = 0, withheld = 0, windowMs: endsAtMs = 60_000, isHeld = false } = opening;
  return new Ledger({ id, nodes, anonymous, withheld, endsAtMs, isHeld }, { ...options, jitter }, 0);
}

function ack(name: string, phase: AckPhase): LedgerEvent {
  return { kind: 'ack', node: node(name), phase };
}

function result(name: string, outcome: Outcome = 'ok'): LedgerEvent {
  return { kind: 'result', node: node(name), isV1: false, outcome };
}

function resultV1(name: string | undefined, outcome: Outcome = 'ok'): LedgerEvent {
  return { kind: 'result', node: name === undefined ? undefined : node(name), isV1: true, outcome };
}

function release(names: readonly string[], endsAtMs = 60_000): LedgerEvent {
  return { kind: 'release', nodes: names.map(node), endsAtMs };
}

function lost(name: string): LedgerEvent {
  return { kind: 'lost', node: node(name) };
}

function back(name: string): LedgerEvent {
  return { kind: 'back', node: node(name) };
}

/** One word for each effect, with its node where it has one. */
function words(effects: readonly LedgerEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind !== 'record') return 'node' in effect ? `${effect.kind} ${effect.node}` : effect.kind;
    const { node, phase, outcome } = effect.entry;
    return `record ${node} ${phase} ${outcome ?? 'undecided'}`;
  });
}

function outcomes(ledger: Ledger): Record<string, Outcome | undefined> {
  return Object.fromEntries(ledger.entries().map(({ node, outcome }) => [node, outcome]));
}

/** When the node was asked, or told to stop, with a tick every 100 ms. */
function timesOf(kind: 'ask' | 'cancel', ledger: Ledger, fromMs: number, untilMs: number): number[] {
  const times: number[] = [];
  for (let now = fromMs; now <= untilMs; now += 100) {
    if (ledger.step(tick, now).some((effect) => effect.kind === kind)) times.push(now);
  }
  return times;
}

/** As the manager does it after a restart: it knows the nodes from the entries. */
function restored(from: Ledger, now: number): Ledger {
  const { anonymous, withheld, endsAtMs } = from;
  const ledger = new Ledger({ id, nodes: [], anonymous, withheld, endsAtMs }, options, now);
  ledger.restore(from.entries(), from.isOver, from.isCancelled);
  return ledger;
}

describe('a request when it is opened', () => {
  it('waits for the nodes that are alive', () => {
    expect(outcomes(open({ alive: ['web1', 'web2'] }))).to.deep.equal({ web1: undefined, web2: undefined });
  });

  it('finds dead nodes unreachable at once', () => {
    expect(outcomes(open({ dead: ['db1'] }))).to.deep.equal({ db1: 'unreachable' });
  });

  it('finds nodes in conflict refused at once, dead or alive', () => {
    const nodes = [{ node: node('db1'), isAlive: false, isRefused: true }];
    const dead = new Ledger({ id, nodes, anonymous: 0, withheld: 0, endsAtMs: 1 }, options, 0);
    expect(outcomes(open({ conflicted: ['db1'] }))).to.deep.equal({ db1: 'refused' });
    expect(outcomes(dead)).to.deep.equal({ db1: 'refused' });
  });

  it('asks nobody at its first tick: it has just been dispatched', () => {
    expect(open({ alive: ['web1'] }).step(tick, 0)).to.deep.equal([]);
  });

  it('is over at its first tick when nobody is to be waited for', () => {
    expect(words(open({ dead: ['db1'], conflicted: ['db2'] }).step(tick, 0))).to.deep.equal(['end']);
    expect(words(open({}).step(tick, 0))).to.deep.equal(['end']);
  });
});

describe('a node that is silent', () => {
  it('is asked again with growing pauses up to the longest', () => {
    const asked = timesOf('ask', open({ alive: ['web1'] }), 0, 59_000);
    expect(asked).to.deep.equal([1_000, 3_000, 7_000, 15_000, 25_000, 35_000, 45_000, 55_000]);
  });

  for (const [draw, first, second] of [
    [0, 800, 2_300],
    [0.999, 1_300, 3_800],
  ] as const) {
    it(`is asked after pauses that vary by a quarter at most, here for a draw of ${draw}`, () => {
      const ledger = open({ alive: ['web1'], jitter: () => draw });
      expect(timesOf('ask', ledger, 0, 4_000)).to.deep.equal([first, second]);
    });
  }

  it('draws its spread by name and count, so that nodes do not move in step', () => {
    const draws: string[] = [];
    const jitter = (name: NodeName, asked: number): number => draws.push(`${name}/${asked}`) * 0;
    timesOf('ask', open({ alive: ['web1', 'web2'], jitter }), 0, 900);
    expect(draws).to.deep.equal(['web1/0', 'web2/0', 'web1/1', 'web2/1']);
  });

  it('is in no answer when the window ends', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    expect(words(ledger.step(tick, 5_000))).to.deep.equal(['record web1 asked no-answer', 'end']);
  });

  it('is not asked at the moment when the window ends: nobody would wait for what it does', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    expect(timesOf('ask', ledger, 5_000, 30_000)).to.deep.equal([]);
  });
});

describe('a node that acknowledges', () => {
  it('is noted as queued, then as running', () => {
    const ledger = open({ alive: ['web1'] });
    expect(words(ledger.step(ack('web1', 'queued'), 10))).to.deep.equal(['record web1 queued undecided']);
    expect(words(ledger.step(ack('web1', 'running'), 20))).to.deep.equal(['record web1 running undecided']);
  });

  it('is noted once, however often it says the same', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(ack('web1', 'running'), 10);
    expect(ledger.step(ack('web1', 'running'), 20)).to.deep.equal([]);
  });

  it('stays running when the message that it was queued comes later', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(ack('web1', 'running'), 10);
    expect(ledger.step(ack('web1', 'queued'), 20)).to.deep.equal([]);
    expect(ledger.entry(node('web1'))?.phase).to.equal('running');
  });

  it('is asked only after the longest pauses from then on, in case its answer is lost', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(ack('web1', 'queued'), 500);
    expect(timesOf('ask', ledger, 500, 35_000)).to.deep.equal([10_500, 20_500, 30_500]);
  });

  it('is running when the window ends before it answers', () => {
    const ledger = open({ alive: ['web1', 'web2'], windowMs: 5_000 });
    ledger.step(ack('web1', 'queued'), 10);
    ledger.step(ack('web2', 'running'), 10);
    ledger.step(tick, 5_000);
    expect(outcomes(ledger)).to.deep.equal({ web1: 'running', web2: 'running' });
  });

  it('is waited for although it was unreachable or refused when asked', () => {
    const ledger = open({ dead: ['db1'], conflicted: ['db2'], alive: ['web1'] });
    expect(words(ledger.step(ack('db1', 'running'), 10))).to.deep.equal(['record db1 running undecided']);
    expect(words(ledger.step(ack('db2', 'running'), 10))).to.deep.equal(['record db2 running undecided']);
    expect(words(ledger.step(result('web1'), 20))).to.not.include('end');
  });

  it('is nobody when the request is not aimed at it', () => {
    const ledger = open({ alive: ['web1'] });
    expect(ledger.step(ack('mail1', 'running'), 10)).to.deep.equal([]);
    expect(outcomes(ledger)).to.deep.equal({ web1: undefined });
  });

  it('changes nothing any more once it has answered', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    ledger.step(result('web1'), 10);
    expect(ledger.step(ack('web1', 'running'), 20)).to.deep.equal([]);
  });
});

describe('an answer', () => {
  it('is published and recorded', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    expect(words(ledger.step(result('web1', 'failed'), 10))).to.deep.equal([
      'publish',
      'record web1 done failed',
    ]);
  });

  it('ends the request when it is the last', () => {
    const ledger = open({ alive: ['web1', 'web2'], dead: ['db1'] });
    ledger.step(result('web2'), 10);
    const effects = words(ledger.step(result('web1'), 20));
    expect(effects).to.deep.equal(['publish', 'record web1 done ok', 'end']);
    expect(ledger.isOver).to.equal(true);
  });

  it('counts once: what the same node says later amends nothing', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    ledger.step(result('web1', 'ok'), 10);
    expect(ledger.step(result('web1', 'failed'), 20)).to.deep.equal([]);
    expect(outcomes(ledger)).to.deep.equal({ web1: 'ok', web2: undefined });
  });

  it('of a node that nobody expected is taken all the same', () => {
    const ledger = open({ alive: ['web1'] });
    expect(words(ledger.step(result('mail1'), 10))).to.deep.equal(['publish', 'record mail1 done ok']);
    ledger.step(result('web1'), 20);
    expect(ledger.counts()).to.deep.equal({ ok: 2 });
  });

  it('of a node is the last that it is asked for', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    ledger.step(result('web1'), 10);
    ledger.step(back('web1'), 20);
    ledger.step(result('web2'), 30);
    expect(timesOf('ask', ledger, 40, 50_000)).to.deep.equal([]);
  });

  for (const given of ['dead', 'conflicted'] as const) {
    it(`that comes from a ${given} node while the request is open is the true one`, () => {
      const ledger = open({ alive: ['web1'], [given]: ['db1'] });
      expect(words(ledger.step(result('db1'), 10))).to.deep.equal(['publish', 'record db1 done ok']);
    });
  }
});

describe('a request that is over', () => {
  it('ends only once', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    ledger.step(tick, 5_000);
    const later = [tick, result('web1'), ack('web1', 'running'), back('web1'), lost('web1'), cancel, tick];
    expect(later.flatMap((event) => words(ledger.step(event, 6_000)))).to.not.include('end');
  });

  it('ends at the first event behind its window, whichever it is', () => {
    const ledger = open({ alive: ['web1', 'web2'], windowMs: 5_000 });
    const effects = words(ledger.step(result('web1'), 5_100));
    expect(effects).to.deep.equal(['publish', 'record web1 done ok', 'record web2 asked no-answer', 'end']);
  });

  it('is amended by a late answer', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'], windowMs: 5_000 });
    ledger.step(tick, 5_000);
    expect(words(ledger.step(result('web1'), 9_000))).to.deep.equal(['publish', 'record web1 done ok']);
    expect(words(ledger.step(result('db1'), 9_000))).to.deep.equal(['publish', 'record db1 done ok']);
    expect(ledger.counts()).to.deep.equal({ ok: 2 });
  });

  it('is not amended by a second answer', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    ledger.step(tick, 5_000);
    ledger.step(result('web1', 'ok'), 9_000);
    expect(ledger.step(result('web1', 'failed'), 9_100)).to.deep.equal([]);
  });

  it('notes that a node which it had given up is at work', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    ledger.step(tick, 5_000);
    expect(words(ledger.step(ack('web1', 'queued'), 6_000))).to.deep.equal(['record web1 queued running']);
    expect(words(ledger.step(ack('web1', 'running'), 7_000))).to.deep.equal(['record web1 running running']);
    expect(words(ledger.step(ack('web1', 'running'), 8_000))).to.deep.equal([]);
  });

  it('asks nobody who comes back', () => {
    const ledger = open({ dead: ['db1'] });
    ledger.step(tick, 0);
    expect(ledger.step(back('db1'), 1_000)).to.deep.equal([]);
    expect(outcomes(ledger)).to.deep.equal({ db1: 'unreachable' });
  });
});

describe('a node that is lost in the middle', () => {
  it('is not asked any more', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(lost('web1'), 500);
    expect(timesOf('ask', ledger, 500, 59_000)).to.deep.equal([]);
  });

  it('is waited for until the window ends: it was alive when asked', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    ledger.step(lost('web1'), 500);
    expect(words(ledger.step(result('web2'), 600))).to.not.include('end');
    expect(words(ledger.step(tick, 60_000))).to.deep.equal(['record web1 asked no-answer', 'end']);
  });

  it('is asked at once when it is back', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(lost('web1'), 500);
    expect(words(ledger.step(back('web1'), 20_000))).to.deep.equal(['ask web1']);
  });

  it('is asked at once when it is back even though it had acknowledged: it may have forgotten', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(ack('web1', 'queued'), 10);
    expect(words(ledger.step(back('web1'), 3_000))).to.deep.equal(['ask web1']);
  });
});

describe('a node that was unreachable', () => {
  it('is asked and waited for when it comes back while the request is open', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'] });
    expect(words(ledger.step(back('db1'), 1_000))).to.deep.equal(['record db1 asked undecided', 'ask db1']);
    expect(words(ledger.step(result('web1'), 2_000))).to.not.include('end');
    expect(words(ledger.step(result('db1'), 3_000))).to.include('end');
  });

  it('is in no answer when it is silent after that', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'], windowMs: 5_000 });
    ledger.step(back('db1'), 1_000);
    ledger.step(lost('db1'), 2_000);
    ledger.step(tick, 5_000);
    expect(outcomes(ledger)).to.deep.equal({ web1: 'no-answer', db1: 'no-answer' });
  });

  it('stays unreachable when it comes back behind the window', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'], windowMs: 5_000 });
    expect(words(ledger.step(back('db1'), 5_000))).to.deep.equal(['record web1 asked no-answer', 'end']);
    expect(outcomes(ledger)).to.deep.equal({ web1: 'no-answer', db1: 'unreachable' });
  });

  it('is not asked without having come back', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'] });
    ledger.step(result('web1'), 500);
    expect(timesOf('ask', ledger, 500, 59_000)).to.deep.equal([]);
  });
});

describe('a node in conflict', () => {
  it('is not asked when it shows up', () => {
    const ledger = open({ alive: ['web1'], conflicted: ['db1'] });
    expect(ledger.step(back('db1'), 1_000)).to.deep.equal([]);
    expect(outcomes(ledger)).to.deep.equal({ web1: undefined, db1: 'refused' });
  });
});

describe('anonymous v1 agents', () => {
  it('are all waited for', () => {
    const ledger = open({ anonymous: 2 });
    expect(words(ledger.step(resultV1('old1'), 10))).to.deep.equal(['publish', 'record old1 done ok']);
    expect(words(ledger.step(resultV1('old2'), 20))).to.deep.equal(['publish', 'record old2 done ok', 'end']);
  });

  it('are never asked by a name', () => {
    const ledger = open({ anonymous: 2 });
    ledger.step(resultV1('old1'), 10);
    expect(timesOf('ask', ledger, 10, 59_000)).to.deep.equal([]);
  });

  it('count as no answer when the window ends', () => {
    const ledger = open({ anonymous: 3, windowMs: 5_000 });
    ledger.step(resultV1('old1'), 10);
    expect(ledger.counts(), 'before').to.deep.equal({ ok: 1 });
    ledger.step(tick, 5_000);
    expect(ledger.counts(), 'after').to.deep.equal({ ok: 1, 'no-answer': 2 });
    ledger.step(resultV1('old2'), 6_000);
    expect(ledger.counts(), 'amended').to.deep.equal({ ok: 2, 'no-answer': 1 });
  });

  it('count each once that do not say who they are', () => {
    const ledger = open({ anonymous: 2 });
    ledger.step(resultV1(undefined, 'failed'), 10);
    ledger.step(resultV1(undefined, 'failed'), 20);
    expect(outcomes(ledger)).to.deep.equal({ 'unnamed-1': 'failed', 'unnamed-2': 'failed' });
    expect(ledger.isOver).to.equal(true);
  });

  it('may be more than there were: nobody is missing then', () => {
    const ledger = open({ anonymous: 1 });
    ledger.step(resultV1('old1'), 10);
    ledger.step(resultV1('old2'), 20);
    expect(ledger.anonymousMissing).to.equal(0);
    expect(ledger.counts()).to.deep.equal({ ok: 2 });
  });

  it('may serve a host that was known by its name, and answer for it', () => {
    const ledger = open({ dead: ['web1'], anonymous: 1 });
    const effects = words(ledger.step(resultV1('web1'), 10));
    expect(effects).to.deep.equal(['publish', 'record web1 done ok', 'end']);
    expect(ledger.counts()).to.deep.equal({ ok: 1 });
  });

  it('count as refused when they were withheld, and are not waited for', () => {
    const ledger = open({ alive: ['web1'], withheld: 2 });
    ledger.step(result('web1'), 10);
    expect(ledger.isOver).to.equal(true);
    expect(ledger.counts()).to.deep.equal({ ok: 1, refused: 2 });
  });
});

describe('a cancelled request', () => {
  it('tells every node that has not answered', () => {
    const ledger = open({ alive: ['web1', 'web2', 'web3'], dead: ['db1'], anonymous: 1 });
    ledger.step(ack('web2', 'running'), 10);
    ledger.step(result('web3'), 10);
    ledger.step(resultV1('old1'), 10);
    expect(words(ledger.step(cancel, 20))).to.deep.equal(['cancel web1', 'cancel web2', 'cancel db1']);
  });

  for (const phase of ['queued', 'running'] as const) {
    it(`tells a node that is ${phase} again and again`, () => {
      const ledger = open({ alive: ['web1'] });
      ledger.step(ack('web1', phase), 400);
      ledger.step(cancel, 500);
      expect(timesOf('cancel', ledger, 500, 3_600)).to.deep.equal([1_500, 2_500, 3_500]);
    });
  }

  it('goes on telling a node whose acknowledgement was on its way', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(cancel, 500);
    ledger.step(ack('web1', 'running'), 600);
    expect(timesOf('cancel', ledger, 600, 2_700)).to.deep.equal([1_600, 2_600]);
  });

  it('asks nobody to run it any more', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'] });
    ledger.step(cancel, 500);
    expect(timesOf('ask', ledger, 500, 10_400)).to.deep.equal([]);
  });

  it('tells a node that comes back, instead of asking it', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'] });
    ledger.step(cancel, 500);
    expect(words(ledger.step(back('db1'), 600))).to.deep.equal(['record db1 asked undecided', 'cancel db1']);
  });

  it('lets each node say what became of it', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    ledger.step(cancel, 500);
    ledger.step(result('web1', 'cancelled'), 600);
    const effects = words(ledger.step(result('web2', 'ok'), 700));
    expect(effects).to.deep.equal(['publish', 'record web2 done ok', 'end']);
    expect(ledger.counts()).to.deep.equal({ cancelled: 1, ok: 1 });
  });

  it('is over after the grace, with what is known', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    ledger.step(ack('web2', 'running'), 10);
    ledger.step(cancel, 500);
    expect(ledger.step(tick, 10_499).map(({ kind }) => kind)).to.not.include('end');
    ledger.step(tick, 10_500);
    expect(outcomes(ledger)).to.deep.equal({ web1: 'no-answer', web2: 'running' });
  });

  it('is never open for longer than it would have been', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    ledger.step(cancel, 4_000);
    expect(ledger.endsAtMs).to.equal(5_000);
  });

  it('is cancelled once', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(cancel, 500);
    expect(ledger.step(cancel, 600)).to.deep.equal([]);
    expect(ledger.endsAtMs).to.equal(10_500);
  });

  it('tells those that are still at work when it was over before', () => {
    const ledger = open({ alive: ['web1', 'web2'], windowMs: 5_000 });
    ledger.step(ack('web1', 'running'), 10);
    ledger.step(result('web2'), 10);
    ledger.step(tick, 5_000);
    expect(words(ledger.step(cancel, 6_000))).to.deep.equal(['cancel web1']);
    expect(ledger.isCancelled).to.equal(true);
  });
});

describe('a ledger after a restart of the manager', () => {
  it('stands where it stood', () => {
    const ledger = open({
      alive: ['web1', 'web2', 'web3'],
      dead: ['db1'],
      conflicted: ['db2'],
      anonymous: 2,
    });
    ledger.step(ack('web1', 'queued'), 10);
    ledger.step(result('web2'), 10);
    ledger.step(resultV1('old1'), 10);
    const again = restored(ledger, 1_000);
    expect(again.entries()).to.deep.equal(ledger.entries());
    expect(again.anonymousMissing).to.equal(1);
    expect(again.counts()).to.deep.equal(ledger.counts());
  });

  it('asks the nodes that have not answered at once', () => {
    const ledger = open({ alive: ['web1', 'web2', 'web3'], dead: ['db1'] });
    ledger.step(ack('web1', 'running'), 10);
    ledger.step(result('web2'), 10);
    expect(words(restored(ledger, 1_000).step(tick, 1_000))).to.deep.equal(['ask web1', 'ask web3']);
  });

  it('does not publish an answer that it has again', () => {
    const ledger = open({ alive: ['web1', 'web2'] });
    ledger.step(result('web1'), 10);
    expect(restored(ledger, 1_000).step(result('web1'), 1_000)).to.deep.equal([]);
  });

  it('still waits for a node that had come back', () => {
    const ledger = open({ alive: ['web1'], dead: ['db1'] });
    ledger.step(back('db1'), 10);
    const { endsAtMs } = ledger;
    const nodes = [{ node: node('db1'), isAlive: false, isRefused: false }];
    const again = new Ledger({ id, nodes, anonymous: 0, withheld: 0, endsAtMs }, options, 1_000);
    again.restore(ledger.entries(), false, false);
    again.step(result('web1'), 1_000);
    expect(again.isOver).to.equal(false);
    expect(words(again.step(result('db1'), 1_100))).to.include('end');
  });

  it('ends when the last answer had come and the end had not', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(result('web1'), 10);
    const again = new Ledger({ id, nodes: [], anonymous: 0, withheld: 0, endsAtMs: 60_000 }, options, 1_000);
    again.restore(ledger.entries(), false, false);
    expect(words(again.step(tick, 1_000))).to.deep.equal(['end']);
  });

  it('ends anew when its end was not stored, and records all that changes on the way', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    ledger.step(ack('web1', 'running'), 10);
    ledger.step(tick, 5_000);
    const again = new Ledger({ id, nodes: [], anonymous: 0, withheld: 0, endsAtMs: 5_000 }, options, 6_000);
    again.restore(ledger.entries(), false, false);
    const effects = words(again.step(ack('web1', 'running'), 6_000));
    expect(effects).to.deep.equal(['record web1 running undecided', 'record web1 running running', 'end']);
  });

  it('ends at once when the window ended meanwhile', () => {
    const ledger = restored(open({ alive: ['web1'] }), 70_000);
    expect(words(ledger.step(tick, 70_000))).to.deep.equal(['record web1 asked no-answer', 'end']);
  });

  it('does not end again', () => {
    const ledger = open({ alive: ['web1'], windowMs: 5_000 });
    ledger.step(tick, 5_000);
    const again = restored(ledger, 6_000);
    expect(again.isOver).to.equal(true);
    expect(again.step(tick, 6_000)).to.deep.equal([]);
    expect(words(again.step(result('web1'), 7_000))).to.deep.equal(['publish', 'record web1 done ok']);
  });

  it('goes on telling the nodes of a cancelled request', () => {
    const ledger = open({ alive: ['web1'] });
    ledger.step(cancel, 500);
    const again = restored(ledger, 1_000);
    expect(words(again.step(tick, 1_000))).to.deep.equal(['cancel web1']);
    expect(again.step(cancel, 1_100)).to.deep.equal([]);
  });
});

describe('a request that is held', () => {
  const close: LedgerEvent = { kind: 'close' };

  function held(opening: Opening = { alive: ['web1', 'web2'] }): Ledger {
    return open({ ...opening, isHeld: true });
  }

  it('lets the nodes wait that are alive', () => {
    const ledger = held({ alive: ['web1'], dead: ['db1'], conflicted: ['db2'] });
    expect(ledger.entries().map(({ phase }) => phase)).to.deep.equal(['waiting', 'waiting', 'waiting']);
    expect(outcomes(ledger)).to.deep.equal({ web1: undefined, db1: 'unreachable', db2: 'refused' });
  });

  it('asks nobody by itself, and does not end', () => {
    const ledger = held({ alive: ['web1'], dead: ['db1'] });
    const steps = [tick, lost('web1'), back('web1'), back('db1'), tick].map((event, at) => {
      return words(ledger.step(event, 100_000 * at));
    });
    expect(steps.flat()).to.deep.equal([]);
    expect(outcomes(ledger)).to.deep.equal({ web1: undefined, db1: 'unreachable' });
  });

  it('records all whose turn has come before it asks the first of them', () => {
    const effects = words(held().step(release(['web2', 'web1']), 0));
    expect(effects).to.deep.equal([
      ...['record web2 asked undecided', 'record web1 asked undecided', 'ask web2', 'ask web1'],
    ]);
  });

  it('asks again with the usual pauses, from the turn on', () => {
    const ledger = held();
    ledger.step(release(['web1'], 160_000), 100_000);
    expect(timesOf('ask', ledger, 100_000, 108_000)).to.deep.equal([101_000, 103_000, 107_000]);
  });

  it('gives a node its turn once', () => {
    const ledger = held();
    ledger.step(release(['web1']), 0);
    expect(ledger.step(release(['web1']), 10)).to.deep.equal([]);
    ledger.step(result('web1'), 20);
    expect(ledger.step(release(['web1']), 30)).to.deep.equal([]);
  });

  it('knows no turn of a node that was not there when it began, or that it is not aimed at', () => {
    const ledger = held({ alive: ['web1'], dead: ['db1'], conflicted: ['db2'] });
    expect(ledger.step(release(['db1', 'db2', 'mail1']), 0)).to.deep.equal([]);
  });

  it('decides those at work at the end of their time, and does not end', () => {
    const ledger = held({ alive: ['web1', 'web2', 'web3'] });
    ledger.step(release(['web1', 'web2'], 5_000), 0);
    ledger.step(ack('web1', 'running'), 10);
    const effects = words(ledger.step(tick, 5_000));
    expect(effects).to.deep.equal(['record web1 running running', 'record web2 asked no-answer']);
    expect(ledger.isOver).to.equal(false);
    expect(outcomes(ledger)).to.deep.include({ web3: undefined });
  });

  it('asks nobody any more whose time is over, also not when he comes back or another has his turn', () => {
    const ledger = held();
    ledger.step(release(['web1'], 5_000), 0);
    ledger.step(tick, 5_000);
    ledger.step(release(['web2'], 30_000), 5_000);
    ledger.step(result('web2'), 5_100);
    expect(words(ledger.step(back('web1'), 6_000))).to.deep.equal([]);
    expect(timesOf('ask', ledger, 6_000, 29_000)).to.deep.equal([]);
  });

  it('notes what is late without waiting for more', () => {
    const ledger = held();
    ledger.step(release(['web1'], 5_000), 0);
    ledger.step(tick, 5_000);
    expect(words(ledger.step(ack('web1', 'running'), 6_000))).to.deep.equal(['record web1 running running']);
    expect(words(ledger.step(result('web1'), 7_000))).to.deep.equal(['publish', 'record web1 done ok']);
  });

  it('notes that a node is at work which nobody asked, without waiting for it', () => {
    const ledger = held();
    expect(words(ledger.step(ack('web1', 'queued'), 10))).to.deep.equal(['record web1 queued running']);
    expect(ledger.step(release(['web1']), 20)).to.deep.equal([]);
  });

  it('passes over a node that is not there at its turn: it is unreachable and stays so', () => {
    const ledger = held();
    ledger.step(lost('web1'), 0);
    const skip: LedgerEvent = { kind: 'skip', nodes: [node('web1')] };
    expect(words(ledger.step(skip, 10))).to.deep.equal(['record web1 asked unreachable']);
    expect(ledger.step(skip, 20)).to.deep.equal([]);
    expect(ledger.step(back('web1'), 30)).to.deep.equal([]);
    expect(ledger.step(release(['web1']), 40)).to.deep.equal([]);
  });

  it('does not end when all have answered, only when it is closed, and then once', () => {
    const ledger = held({ alive: ['web1'] });
    ledger.step(release(['web1']), 0);
    expect(words(ledger.step(result('web1'), 10))).to.deep.equal(['publish', 'record web1 done ok']);
    expect(words(ledger.step(close, 20))).to.deep.equal(['end']);
    expect(ledger.step(close, 30)).to.deep.equal([]);
  });

  it('cancels those who wait when it is closed, and waits for nobody', () => {
    const ledger = held({ alive: ['web1', 'web2', 'web3'] });
    ledger.step(release(['web1', 'web2']), 0);
    ledger.step(ack('web2', 'running'), 10);
    expect(words(ledger.step(close, 20))).to.deep.equal([
      ...['record web3 waiting cancelled', 'record web1 asked no-answer', 'record web2 running running'],
      'end',
    ]);
  });

  it('cancels those who wait at once when it is cancelled, and tells those who were asked', () => {
    const ledger = held({ alive: ['web1', 'web2'], dead: ['db1'] });
    ledger.step(release(['web1']), 0);
    expect(words(ledger.step(cancel, 10))).to.deep.equal(['record web2 waiting cancelled', 'cancel web1']);
    expect(ledger.step(release(['web2']), 20)).to.deep.equal([]);
  });

  it('gives those at work the grace when it is cancelled', () => {
    const ledger = held({ alive: ['web1'] });
    ledger.step(release(['web1']), 0);
    ledger.step(cancel, 500);
    expect(ledger.endsAtMs).to.equal(10_500);
    ledger.step(tick, 10_500);
    expect(outcomes(ledger)).to.deep.equal({ web1: 'no-answer' });
  });

  it('lets wait who waited before a restart of the manager', () => {
    const ledger = held();
    ledger.step(release(['web1'], 60_000), 0);
    const again = new Ledger(
      { id, nodes: [], anonymous: 0, withheld: 0, isHeld: true, endsAtMs: 60_000 },
      options,
      1_000,
    );
    again.restore(ledger.entries(), false, false);
    expect(again.entries()).to.deep.equal(ledger.entries());
    expect(words(again.step(tick, 1_000))).to.deep.equal(['ask web1']);
    expect(words(again.step(release(['web2']), 2_000))).to.deep.equal([
      ...['record web2 asked undecided', 'ask web2'],
    ]);
  });
});

describe('a node for which a policy refuses the request', () => {
  const opened = (isHeld = false) => {
    const denied = { node: node('db1'), isAlive: true, isRefused: true, isDenied: true };
    const asked = { node: node('web1'), isAlive: true, isRefused: false };
    const aim = { id, nodes: [denied, asked], anonymous: 0, withheld: 0, endsAtMs: 60_000, isHeld };
    return new Ledger(aim, options, 0);
  };
  const events = [ack('db1', 'running'), result('db1'), lost('db1'), back('db1'), ack('db1', 'queued')];

  it('is refused, whatever it says itself, and never asked or told anything', () => {
    for (const ledger of [opened(), restored(opened(), 0)]) {
      for (const event of events) expect(words(ledger.step(event, 0))).to.deep.equal([]);
      const [asked, told] = [timesOf('ask', ledger, 0, 2_000), ledger.step(cancel, 3_000)];
      expect([asked.length > 0, words(told)]).to.deep.equal([true, ['cancel web1']]);
      expect(ledger.entry(node('db1'))).to.include({ phase: 'done', outcome: 'refused' });
      expect(words(ledger.step(result('web1'), 3_000))).to.deep.equal([
        'publish',
        'record web1 done ok',
        'end',
      ]);
      expect(words(ledger.step(result('db1'), 4_000))).to.deep.equal([]);
    }
  });

  it('has no turn in a rollout', () => {
    const ledger = opened(true);
    expect(words(ledger.step(release(['db1', 'web1']), 0))).to.deep.equal([
      'record web1 asked undecided',
      'ask web1',
    ]);
  });
});
