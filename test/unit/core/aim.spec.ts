import { expect } from 'chai';
import { type AimOrder, aim, isForNodes } from '../../../src/core/aim.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { fleet, knownNodes, node } from './target-fleet.ts';

const known = knownNodes(
  { ...fleet, mail1: ['any', 'mail1', 'web1,db1', 'up and down', 'not web1', "'rack 7'", ' any'] },
  ['old agents', 'old'],
);

/** A topic in angle brackets, or names. */
function aimed(order: AimOrder): string {
  const { kind, ...whom } = aim(order, known);
  return kind === 'topic' ? `<${Object.values(whom).join()}>` : Object.values(whom).flat().join(' ');
}

describe('whom a request is aimed at', () => {
  const web1 = node('web1');
  const examples: ReadonlyArray<[what: string, order: AimOrder, whom: string]> = [
    ['is a topic when the target is one word', { topic: 'role:web' }, '<role:web>'],
    ['is a topic when the word is quoted', { topic: "'Debian GNU/Linux'" }, '<Debian GNU/Linux>'],
    ['is a topic for a word that nobody is known by', { topic: 'wbe1' }, '<wbe1>'],
    ['is a topic with blanks in it that somebody is on', { topic: 'Debian GNU/Linux' }, '<Debian GNU/Linux>'],
    ['is a topic with a comma in it when it is in quotes', { topic: "'web1,db1'" }, '<web1,db1>'],
    ['is a topic with operators in it when it is in quotes', { topic: "'up and down'" }, '<up and down>'],
    ['is a topic with blanks in it that a v1 agent is on', { topic: 'old agents' }, '<old agents>'],
    ['is a list of names otherwise', { topic: 'web2,db1' }, 'db1 web2'],
    ['is who matches a glob', { topic: 'web?' }, 'web1 web2 web3'],
    ['is who is left when some are excluded', { topic: 'role:web', exclude: 'web1,web[2-3]' }, 'web10'],
    ['is nobody when all are excluded', { topic: 'role:web', exclude: 'any' }, ''],
    [
      'is who is left of a topic with blanks',
      { topic: 'Debian GNU/Linux', exclude: 'rack 7' },
      'web2 web3 web10',
    ],
    [
      'reads what is excluded as a topic when it is in quotes',
      { topic: 'any', exclude: "'not web1'" },
      'db1 db2 web1 web2 web3 web10',
    ],
    ['is who is left of a word that only v1 agents listen to', { topic: 'old', exclude: 'web1' }, ''],
    [
      'is everybody when a fact to exclude is true of nobody',
      { topic: 'role:db', exclude: 'role:mail' },
      'db1 db2',
    ],
    ['is everybody when a glob to exclude matches nobody', { topic: 'role:db', exclude: 'ftp*' }, 'db1 db2'],
    ['is the named nodes, each once', { topic: '((', nodes: [node('web10'), web1, web1] }, 'web1 web10'],
    [
      'is the named nodes but the excluded ones',
      { topic: 'x', nodes: [web1, node('db1')], exclude: 'role:web' },
      'db1',
    ],
    ['is nobody within a limit of 0', { topic: 'any', limit: '0' }, ''],
    ['is everybody within a large limit', { topic: 'role:db', limit: '9' }, 'db1 db2'],
    ['is at least one within a percentage', { topic: 'db1,db2', exclude: 'db1', limit: '1%' }, 'db2'],
  ];
  for (const order of [
    { topic: 'web1,db1' },
    { topic: "'rack 7'" },
    { topic: ' any' },
    { topic: 'any', exclude: 'not web1' },
  ]) {
    it(`is refused where an expression is somebody's topic: ${Object.values(order).at(-1)}`, () => {
      expect(() => aim(order, known)).to.throw('an expression and also the name of a topic');
    });
  }

  for (const [what, order, whom] of examples) {
    it(what, () => expect(aimed(order)).to.equal(whom));
    it(`${what}, which its words alone tell`, () =>
      expect(isForNodes(order)).to.equal(aim(order, known).kind === 'nodes'));
  }

  it('is as many as the limit says of those who are left, in natural order, and the same for a seed', () => {
    const names = Array.from({ length: 40 }, (_, index) => `n${index + 1}`);
    const many = knownNodes(Object.fromEntries(names.map((name) => [name, ['any']])));
    const chosen = (limit: string, seed?: number) => {
      const order = { topic: 'any', exclude: 'n[1-20]', limit, ...(seed === undefined ? {} : { seed }) };
      const result = aim(order, many);
      return result.kind === 'nodes' ? [...result.nodes] : [];
    };
    expect(chosen('25%', 7)).to.have.length(5);
    expect(chosen('25%', 7)).to.deep.equal(chosen('5', 7));
    expect(chosen('6', 7)).to.include.members(chosen('5', 7));
    expect(chosen('5', 7)).to.not.deep.equal(chosen('5', 8));
    expect(chosen('5')).to.deep.equal(chosen('5', 0));
    expect(chosen('20', 7)).to.deep.equal(names.slice(20));
    const numbers = chosen('10', 7).map((name) => Number(name.slice(1)));
    expect(numbers).to.deep.equal(numbers.toSorted((one, other) => one - other));
    expect(Math.min(...numbers)).to.be.above(20);
  });

  const wrong: ReadonlyArray<[order: AimOrder, code: string, message: string]> = [
    [{ topic: 'role:web db1' }, 'BAD_TARGET', 'target: expected "and", "or" or the end, found another word'],
    [{ topic: 'any', exclude: 'web1,' }, 'BAD_TARGET', 'exclude: expected a name or a topic after the comma'],
    [{ topic: 'wbe1 and any' }, 'UNKNOWN_NODE', 'no node or topic of the name wbe1 is known'],
    [{ topic: 'wbe1', limit: '1' }, 'UNKNOWN_NODE', 'no node or topic of the name wbe1 is known'],
    [{ topic: 'any', exclude: 'wbe1' }, 'UNKNOWN_NODE', 'no node or topic of the name wbe1 is known'],
    [{ topic: 'wbe1', exclude: 'wbe2' }, 'UNKNOWN_NODE', 'no node or topic of the name wbe[1-2] is known'],
    [
      { topic: 'any', nodes: [node('web1'), node('wbe3'), node('web41'), node('wbe3')] },
      'UNKNOWN_NODE',
      'no node of the name wbe3,web41 is known',
    ],
    [{ topic: 'any', nodes: [node('Linux')] }, 'UNKNOWN_NODE', 'no node of the name Linux is known'],
    [
      { topic: 'any', nodes: [node('web1')], exclude: 'wbe3' },
      'UNKNOWN_NODE',
      'no node or topic of the name wbe3 is known',
    ],
    [{ topic: 'any', limit: 'some' }, 'BAD_USAGE', 'quantity "some": expected a number'],
  ];
  for (const [order, code, message] of wrong) {
    it(`is not guessed: ${JSON.stringify(order)}`, () => {
      expect(() => aim(order, known))
        .to.throw(ServiceManagerError, message)
        .with.property('code', code);
    });
  }
});
