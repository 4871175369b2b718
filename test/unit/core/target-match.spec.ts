import { expect } from 'chai';
import { couldMean, isInTarget, type MeantOrder, targetMatcher } from '../../../src/core/target-match.ts';
import { parseTarget } from '../../../src/core/target-parser.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { node } from './target-fleet.ts';

const web1 = {
  name: 'web1',
  topics: new Set(['any', 'Linux', 'web1', 'role:web', 'Debian GNU/Linux', 'rack 7', 'web2,db1', "'x'"]),
};

describe('one node', () => {
  const examples: ReadonlyArray<[target: string, isIn: boolean]> = [
    ['web1', true],
    ['web', false],
    ['web10', false],
    ['WEB1', false],
    ['role:web', true],
    ['role:we', false],
    ["'Debian GNU/Linux'", true],
    ['db1,web1', true],
    ['db1,role:web', true],
    ['db1,db2', false],
    ['web[1-3]', true],
    ['web[2-3]', false],
    ['role:[1-3],rack[7]', false],
    ['web*', true],
    ['?e?1', true],
    ['role:*', false],
    ['*[1-2]', true],
    ['db1,w*', true],
    ['role:web and Linux', true],
    ['role:web and FreeBSD', false],
    ['role:db or any', true],
    ['role:db or FreeBSD', false],
    ['not web1', false],
    ['not web2', true],
    ['not (role:db or web[1-9])', false],
    ['any and not web1,web2', false],
    ['wbe1 or nobody-knows-this', false],
    ['not wbe1', true],
  ];
  for (const [target, isIn] of examples) {
    it(`is ${isIn ? '' : 'not '}in ${target}`, () => {
      expect(isInTarget(parseTarget(target), web1)).to.equal(isIn);
      expect(targetMatcher(target)(web1)).to.equal(isIn);
    });
  }

  it('without topics has its name only', () => {
    const bare = { name: 'web1', topics: new Set<string>() };
    expect(['web1', 'web*', 'any', 'not any'].map((target) => targetMatcher(target)(bare))).to.deep.equal([
      true,
      true,
      false,
      true,
    ]);
  });
});

describe('a target that is read once', () => {
  it('is asked about many nodes', () => {
    const isIn = targetMatcher('web[1-3] and not role:old');
    const nodes = ['web1', 'web2', 'db1'].map((name) => ({
      name,
      topics: new Set(name === 'web2' ? ['role:old'] : []),
    }));
    expect(nodes.map(isIn)).to.deep.equal([true, false, false]);
  });

  it('is refused under the name of its field when it is none', () => {
    expect(() => targetMatcher('web1 and', 'at'))
      .to.throw(ServiceManagerError, /^at: expected a name/)
      .with.property('code', 'BAD_TARGET');
  });

  it('is soon asked about ten thousand nodes when it names a hundred thousand', () => {
    const isIn = targetMatcher('web[1-100000]');
    const topics = new Set(Array.from({ length: 30 }, (_, index) => `topic${index}`));
    const startMs = performance.now();
    let reached = 0;
    for (let number = 95_001; number <= 105_000; number += 1)
      if (isIn({ name: `web${number}`, topics })) reached += 1;
    expect(reached).to.equal(5_000);
    expect(performance.now() - startMs).to.be.below(2_000);
  });
});

describe('a request', () => {
  const examples: ReadonlyArray<[what: string, order: MeantOrder, could: boolean]> = [
    ['on a topic of it', { topic: 'role:web' }, true],
    ['on another topic', { topic: 'role:db' }, false],
    ['on a topic with blanks in it, as it stands', { topic: 'Debian GNU/Linux' }, true],
    ['on a topic of another node with blanks in it', { topic: 'Arch GNU/Linux' }, false],
    ['that is no target', { topic: '((' }, false],
    ['on an expression that is a topic of it, too', { topic: 'web2,db1' }, false],
    ['on such a topic in quotes', { topic: "'web2,db1'" }, true],
    ['on a topic with quotes in its name, which also quotes another one', { topic: "'x'" }, false],
    ['on what that quotes', { topic: 'x' }, false],
    ['at it by name', { topic: '((', nodes: [node('db1'), node('web1')] }, true],
    ['at others by name, whatever its topic', { topic: 'any', nodes: [node('db1')] }, false],
    ['at a name that is only a topic of it', { topic: 'any', nodes: [node('Linux')] }, false],
    ['on a topic without it', { topic: 'any', exclude: 'web[1-9]' }, false],
    ['on a topic without others', { topic: 'any', exclude: 'web[2-9]' }, true],
    ['on a topic without those of a topic with blanks', { topic: 'any', exclude: 'rack 7' }, false],
    ['on a topic without what may be a topic of it', { topic: 'any', exclude: 'web2,db1' }, false],
    ['on a topic without those of a topic that it is not on', { topic: 'any', exclude: 'rack 8' }, true],
    ['at it by name, but without it', { topic: 'x', nodes: [node('web1')], exclude: 'role:web' }, false],
    ['at it by name, and without others', { topic: 'x', nodes: [node('web1')], exclude: 'role:db' }, true],
  ];
  for (const [what, order, could] of examples) {
    it(`${what} can${could ? '' : 'not'} mean this node`, () => {
      expect(couldMean(order, web1)).to.equal(could);
    });
  }
});
