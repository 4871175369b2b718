import { expect } from 'chai';
import { Roster, type RosterEffect, type StoredMember } from '../../../src/core/roster.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName } from '../../../src/wire/fields.ts';
import { BootId, Hello } from '../../../src/wire/presence.ts';

const node = message('node', 300, NodeName).parse;
const web1 = node('web1');
const web2 = node('web2');
const bounds = { lostAfterMs: 15_000, reconnectGraceMs: 2_000 };
// The wall clock of the manager is at this when its other clock is at 0.
const epochMs = 1_700_000_000_000;

/** The id of a run of an agent, by one letter. */
function boot(letter: string): BootId {
  return message('boot', 64, BootId).parse(letter.repeat(32));
}

function at(ms: number) {
  return { ms, wallMs: epochMs + ms };
}

function hello(node: NodeName, letter: string, topics: readonly string[] = ['any']): Hello {
  return Hello.parse({
    ...{ node, boot: boot(letter), topics, roles: [], system: 'Linux', release: '6.1', version: '#1 SMP' },
    ...{ machine: 'x86_64', agentVersion: '0.1.0', startedAtMs: epochMs },
  });
}

/** web1 said hello at 0. */
function rosterOfWeb1(): Roster {
  const roster = new Roster(bounds);
  roster.hello(hello(web1, 'a'), at(0));
  return roster;
}

/** Two agents use the name web1, and both have beaten twice by 6,000. */
function rosterOfClones(): Roster {
  const roster = rosterOfWeb1();
  roster.hello(hello(web1, 'b'), at(100));
  for (const ms of [1_000, 6_000]) {
    roster.beat(web1, boot('a'), at(ms));
    roster.beat(web1, boot('b'), at(ms));
  }
  return roster;
}

function words(effects: readonly RosterEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'who') return `who ${effect.node}`;
    if (effect.kind === 'conflict') return `conflict ${effect.node} ${letters(effect.boots)}`;
    const { node, presence, conflict } = effect.member;
    return `${node} ${presence}${conflict.length === 0 ? '' : ` in conflict ${letters(conflict)}`}`;
  });
}

function letters(boots: readonly BootId[]): string {
  return boots.map((boot) => boot.slice(0, 1)).join('+');
}

function restored(members: readonly StoredMember[], ms: number): Roster {
  const roster = new Roster(bounds);
  roster.restore(members, at(ms));
  return roster;
}

describe('a node in the roster', () => {
  it('is alive from its first hello on', () => {
    const roster = new Roster(bounds);
    expect(words(roster.hello(hello(web1, 'a'), at(5)))).to.deep.equal(['web1 alive']);
    expect(roster.get('web1')).to.deep.equal({
      ...{ node: web1, facts: hello(web1, 'a'), presence: 'alive', conflict: [] },
      ...{ sinceWallMs: epochMs + 5, lastSeenMs: 5, lastSeenWallMs: epochMs + 5 },
    });
  });

  it('is asked who it is when it beats and is not known', () => {
    expect(words(new Roster(bounds).beat(web1, boot('a'), at(0)))).to.deep.equal(['who web1']);
  });

  it('stays alive as long as it beats, and nobody needs to be told', () => {
    const roster = rosterOfWeb1();
    for (let ms = 5_000; ms <= 60_000; ms += 5_000) {
      expect(roster.beat(web1, boot('a'), at(ms))).to.deep.equal([]);
      expect(roster.tick(at(ms + 4_900))).to.deep.equal([]);
    }
    expect(roster.get('web1')?.lastSeenWallMs).to.equal(epochMs + 60_000);
  });

  it('is lost at the first tick at or after the bound, not before, and once', () => {
    const roster = rosterOfWeb1();
    expect(roster.tick(at(14_999))).to.deep.equal([]);
    expect(words(roster.tick(at(15_000)))).to.deep.equal(['web1 lost']);
    expect(roster.tick(at(20_000))).to.deep.equal([]);
  });

  it('is alive again when it beats', () => {
    const roster = rosterOfWeb1();
    roster.tick(at(15_000));
    expect(words(roster.beat(web1, boot('a'), at(16_000)))).to.deep.equal(['web1 alive']);
  });

  it('has left at once when it says goodbye, and is not lost later', () => {
    const roster = rosterOfWeb1();
    expect(words(roster.bye(web1, boot('a'), at(100)))).to.deep.equal(['web1 left']);
    expect(roster.tick(at(60_000))).to.deep.equal([]);
  });

  it('is alive again when a new run says hello', () => {
    const roster = rosterOfWeb1();
    roster.bye(web1, boot('a'), at(100));
    expect(words(roster.hello(hello(web1, 'b'), at(200)))).to.deep.equal(['web1 alive']);
    expect(roster.get('web1')?.sinceWallMs, 'known since').to.equal(epochMs);
  });

  it('is of no concern when it is not known and says goodbye', () => {
    expect(new Roster(bounds).bye(web1, boot('a'), at(0))).to.deep.equal([]);
  });

  it('is told apart from others by its whole name', () => {
    const roster = rosterOfWeb1();
    expect(roster.get('web')).to.equal(undefined);
    expect(roster.get('web10')).to.equal(undefined);
  });

  it('counts while it is alive', () => {
    const roster = rosterOfWeb1();
    roster.hello(hello(web2, 'c'), at(0));
    expect(roster.aliveCount).to.equal(2);
    roster.bye(web2, boot('c'), at(100));
    expect(roster.aliveCount).to.equal(1);
    expect(roster.all().map(({ node }) => node)).to.deep.equal([web1, web2]);
  });
});

describe('the connection of a node', () => {
  it('may break for the grace', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.disconnected(web1, at(1_000));
    expect(roster.tick(at(2_999))).to.deep.equal([]);
    expect(roster.connected(web1, at(2_999))).to.deep.equal([]);
    expect(roster.tick(at(10_000))).to.deep.equal([]);
  });

  it('means that the node is lost when it is broken for longer', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.disconnected(web1, at(1_000));
    expect(words(roster.tick(at(3_000)))).to.deep.equal(['web1 lost']);
  });

  it('brings the node back at once when it was heard of lately', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.disconnected(web1, at(1_000));
    roster.tick(at(3_000));
    expect(words(roster.connected(web1, at(4_000)))).to.deep.equal(['web1 alive']);
  });

  it('does not bring a node back that was not heard of for long', () => {
    const roster = rosterOfWeb1();
    roster.tick(at(15_000));
    expect(roster.connected(web1, at(15_000))).to.deep.equal([]);
    expect(roster.get('web1')?.presence).to.equal('lost');
  });

  it('does not bring a node back that has left', () => {
    const roster = rosterOfWeb1();
    roster.bye(web1, boot('a'), at(100));
    expect(roster.connected(web1, at(200))).to.deep.equal([]);
  });

  it('matters more than what the node says: without it nothing reaches the node', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.disconnected(web1, at(1_000));
    roster.tick(at(3_000));
    expect(roster.beat(web1, boot('a'), at(4_000)), 'a beat').to.deep.equal([]);
    expect(words(roster.hello(hello(web1, 'a'), at(4_100))), 'a hello').to.deep.equal(['web1 lost']);
    expect(words(roster.connected(web1, at(5_000)))).to.deep.equal(['web1 alive']);
  });

  it('is there all the same when the node goes on to answer pulses: others can pretend its end', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.disconnected(web1, at(1_000));
    roster.tick(at(3_000));
    expect(roster.beat(web1, boot('a'), at(6_000)), 'to a pulse from before').to.deep.equal([]);
    roster.disconnected(web1, at(7_000));
    expect(words(roster.beat(web1, boot('a'), at(11_000)))).to.deep.equal(['web1 alive']);
    roster.connected(web1, at(12_000));
    roster.disconnected(web1, at(12_100));
    expect(roster.tick(at(20_000)), 'pretended once more').to.deep.equal([]);
    expect(words(roster.tick(at(26_000))), 'silence').to.deep.equal(['web1 lost']);
  });

  it('may break again and again, with a beat on its way each time', () => {
    const roster = rosterOfWeb1();
    for (const ms of [0, 10_000, 20_000]) {
      roster.connected(web1, at(ms));
      roster.beat(web1, boot('a'), at(ms + 100));
      roster.disconnected(web1, at(ms + 1_000));
      roster.beat(web1, boot('a'), at(ms + 1_100));
      expect(words(roster.tick(at(ms + 3_000)))).to.deep.equal(['web1 lost']);
    }
  });

  it('may have been there before the node said hello', () => {
    const roster = new Roster(bounds);
    roster.connected(web1, at(0));
    roster.hello(hello(web1, 'a'), at(100));
    roster.disconnected(web1, at(1_000));
    expect(words(roster.tick(at(3_000)))).to.deep.equal(['web1 lost']);
  });

  it('may have come and gone before the node said hello', () => {
    const roster = new Roster(bounds);
    roster.connected(web1, at(0));
    roster.disconnected(web1, at(50));
    roster.hello(hello(web1, 'a'), at(100));
    expect(roster.tick(at(10_000))).to.deep.equal([]);
  });

  it('of a new run may be noticed before that of the old one breaks', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.connected(web1, at(900));
    roster.disconnected(web1, at(1_000));
    expect(roster.tick(at(10_000))).to.deep.equal([]);
  });

  it('of a new run may be noticed after its hello', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.disconnected(web1, at(1_000));
    roster.hello(hello(web1, 'b'), at(2_900));
    expect(roster.tick(at(4_000))).to.deep.equal([]);
  });
});

describe('the topics of the roster', () => {
  it('give every node that has them, alive or not', () => {
    const roster = new Roster(bounds);
    roster.hello(hello(web1, 'a', ['any', 'role:web']), at(0));
    roster.hello(hello(web2, 'c', ['any']), at(0));
    roster.bye(web1, boot('a'), at(100));
    expect(roster.onTopic('any').map(({ node }) => node)).to.deep.equal([web1, web2]);
    expect(roster.onTopic('role:web').map(({ presence }) => presence)).to.deep.equal(['left']);
  });

  it('are matched whole', () => {
    const roster = new Roster(bounds);
    roster.hello(hello(web1, 'a', ['role:web']), at(0));
    expect(roster.onTopic('role:')).to.deep.equal([]);
    expect(roster.onTopic('role:web2')).to.deep.equal([]);
  });

  it('are those of the last hello', () => {
    const roster = new Roster(bounds);
    roster.hello(hello(web1, 'a', ['any', 'role:web']), at(0));
    roster.hello(hello(web1, 'b', ['any', 'role:db']), at(100));
    expect(roster.onTopic('role:web')).to.deep.equal([]);
    expect(roster.onTopic('role:db')).to.have.length(1);
    expect(roster.onTopic('any')).to.have.length(1);
  });

  it('are empty once a node is forgotten', () => {
    const roster = rosterOfWeb1();
    expect(roster.forget(web1)).to.equal(true);
    expect(roster.onTopic('any')).to.deep.equal([]);
    expect(roster.forget(web1)).to.equal(false);
  });
});

describe('a node that is forgotten', () => {
  it('is asked who it is when it still beats', () => {
    const roster = rosterOfWeb1();
    roster.forget(web1);
    expect(words(roster.beat(web1, boot('a'), at(5_000)))).to.deep.equal(['who web1']);
  });

  it('keeps its connections', () => {
    const roster = rosterOfWeb1();
    roster.connected(web1, at(0));
    roster.connected(web1, at(0));
    roster.forget(web1);
    roster.hello(hello(web1, 'a'), at(5_000));
    roster.disconnected(web1, at(6_000));
    expect(roster.tick(at(8_000)), 'one is left').to.deep.equal([]);
    roster.disconnected(web1, at(8_000));
    expect(words(roster.tick(at(10_000)))).to.deep.equal(['web1 lost']);
  });
});

describe('an agent that is restarted', () => {
  it('is no conflict', () => {
    const roster = rosterOfWeb1();
    roster.hello(hello(web1, 'b'), at(100));
    for (const ms of [1_000, 6_000, 11_000, 16_000]) {
      expect(roster.beat(web1, boot('b'), at(ms))).to.deep.equal([]);
      expect(roster.tick(at(ms))).to.deep.equal([]);
    }
  });

  for (const last of ['beat', 'bye'] as const) {
    it(`is no conflict when a ${last} of its earlier run was still on its way`, () => {
      const roster = rosterOfWeb1();
      roster.hello(hello(web1, 'b'), at(100));
      expect(roster[last](web1, boot('a'), at(200))).to.deep.equal([]);
      expect(roster.get('web1')?.presence).to.equal('alive');
    });
  }

  it('is no conflict when a hello of its earlier run was still on its way', () => {
    const roster = rosterOfWeb1();
    roster.hello(hello(web1, 'b'), at(100));
    expect(roster.hello(hello(web1, 'a'), at(200))).to.deep.equal([]);
    for (const ms of [1_000, 6_000]) expect(roster.beat(web1, boot('b'), at(ms))).to.deep.equal([]);
    expect(roster.get('web1')?.facts.boot).to.equal(boot('b'));
  });

  it('may be restarted many times', () => {
    const roster = rosterOfWeb1();
    for (const [count, letter] of ['b', 'c', 'd', 'e'].entries()) {
      roster.hello(hello(web1, letter), at(1_000 * (count + 1)));
      roster.beat(web1, boot(letter), at(1_000 * (count + 1) + 500));
    }
    expect(roster.get('web1')?.conflict).to.deep.equal([]);
  });

  it('is asked who it is when its hello got lost', () => {
    const roster = rosterOfWeb1();
    expect(words(roster.beat(web1, boot('b'), at(5_000)))).to.deep.equal(['who web1']);
  });
});

describe('two agents of one name', () => {
  it('are in conflict by the second beat of each', () => {
    const roster = rosterOfWeb1();
    roster.hello(hello(web1, 'b'), at(100));
    roster.beat(web1, boot('a'), at(1_000));
    roster.beat(web1, boot('b'), at(1_000));
    expect(roster.get('web1')?.conflict).to.deep.equal([]);
    const effects = roster.beat(web1, boot('a'), at(6_000));
    expect(words(effects)).to.deep.equal(['web1 alive in conflict b+a', 'conflict web1 b+a']);
  });

  it('are told with each of their beats', () => {
    const roster = rosterOfClones();
    expect(words(roster.beat(web1, boot('a'), at(11_000)))).to.deep.equal(['conflict web1 b+a']);
    expect(words(roster.beat(web1, boot('b'), at(11_000)))).to.deep.equal(['conflict web1 b+a']);
  });

  it('are found as well after one of them was asked who it is', () => {
    const roster = restored(rosterOfWeb1().all(), 1_000);
    expect(words(roster.beat(web1, boot('b'), at(1_000)))).to.deep.equal(['who web1']);
    // Both hear that question.
    roster.hello(hello(web1, 'b'), at(1_100));
    roster.hello(hello(web1, 'a'), at(1_200));
    roster.beat(web1, boot('b'), at(6_000));
    roster.beat(web1, boot('a'), at(6_000));
    expect(roster.get('web1')?.conflict).to.deep.equal([boot('b'), boot('a')]);
  });

  it('are in conflict no more when one says goodbye', () => {
    const roster = rosterOfClones();
    expect(words(roster.bye(web1, boot('a'), at(7_000)))).to.deep.equal(['web1 alive']);
  });

  it('are in conflict no more when one is silent for the bound', () => {
    const roster = rosterOfClones();
    for (const ms of [11_000, 16_000]) roster.beat(web1, boot('b'), at(ms));
    expect(roster.tick(at(20_999))).to.deep.equal([]);
    expect(words(roster.tick(at(21_000)))).to.deep.equal(['web1 alive']);
  });

  it('leave the name to the other one when the later of them is silent', () => {
    const roster = rosterOfClones();
    for (const ms of [11_000, 16_000, 20_000]) roster.beat(web1, boot('a'), at(ms));
    expect(words(roster.tick(at(21_000)))).to.deep.equal(['web1 lost in conflict b+a']);
    expect(words(roster.beat(web1, boot('a'), at(25_000)))).to.deep.equal(['who web1']);
    roster.hello(hello(web1, 'a'), at(25_100));
    expect(words(roster.tick(at(25_100)))).to.deep.equal(['web1 alive']);
    expect(roster.get('web1')?.facts.boot).to.equal(boot('a'));
  });

  it('stay in conflict when one of them is restarted, and the list names its new run', () => {
    const roster = rosterOfClones();
    roster.hello(hello(web1, 'c'), at(7_000));
    expect(words(roster.tick(at(7_100)))).to.deep.equal(['web1 alive in conflict c+a']);
  });

  it('may be many: the warning stays short', () => {
    const roster = rosterOfWeb1();
    const clones = [...'bcdef0123456789'];
    for (const letter of clones) roster.hello(hello(web1, letter), at(100));
    for (const ms of [1_000, 6_000]) for (const letter of clones) roster.beat(web1, boot(letter), at(ms));
    const [warning] = roster.beat(web1, boot('9'), at(7_000));
    expect(warning?.kind === 'conflict' && warning.boots.length).to.equal(10);
    expect(roster.get('web1')?.conflict).to.have.length(clones.length);
  });
});

describe('a roster after a restart of the manager', () => {
  it('gives nodes that were alive the usual time to show up', () => {
    const roster = restored(rosterOfWeb1().all(), 500_000);
    expect(roster.get('web1')?.presence).to.equal('alive');
    expect(roster.tick(at(514_999))).to.deep.equal([]);
    expect(words(roster.tick(at(515_000)))).to.deep.equal(['web1 lost']);
  });

  it('keeps nodes that had left or were lost as they were', () => {
    const before = rosterOfWeb1();
    before.bye(web1, boot('a'), at(1_000));
    before.hello(hello(web2, 'c'), at(0));
    before.tick(at(15_000));
    const roster = restored(before.all(), 20_000);
    expect(roster.all().map(({ presence }) => presence)).to.deep.equal(['left', 'lost']);
    expect(roster.get('web1')?.lastSeenMs).to.equal(1_000);
    expect(roster.tick(at(60_000))).to.deep.equal([]);
  });

  it('does not believe in a last sign of life from the future', () => {
    const before = rosterOfWeb1();
    before.bye(web1, boot('a'), at(90_000));
    expect(restored(before.all(), 20_000).get('web1')?.lastSeenMs).to.equal(20_000);
  });

  it('knows the topics', () => {
    expect(restored(rosterOfWeb1().all(), 1_000).onTopic('any')).to.have.length(1);
  });

  it('takes a node up again by its beat alone', () => {
    const before = rosterOfWeb1();
    before.tick(at(15_000));
    const roster = restored(before.all(), 20_000);
    expect(words(roster.beat(web1, boot('a'), at(21_000)))).to.deep.equal(['web1 alive']);
  });

  it('takes an agent that was restarted meanwhile for no conflict', () => {
    const roster = restored(rosterOfWeb1().all(), 1_000);
    roster.hello(hello(web1, 'b'), at(1_000));
    for (const ms of [2_000, 7_000, 12_000]) expect(roster.beat(web1, boot('b'), at(ms))).to.deep.equal([]);
  });
});
