import { expect } from 'chai';
import { resolveTarget } from '../../../src/core/target-nodes.ts';
import { parseTarget } from '../../../src/core/target-parser.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { fleet, knownNodes } from './target-fleet.ts';

const known = knownNodes(fleet, ['old agents']);

function reached(text: string): string {
  return resolveTarget(parseTarget(text), known).join(' ');
}

describe('the nodes that a target reaches', () => {
  const examples: ReadonlyArray<[what: string, text: string, nodes: string]> = [
    ['are in natural order', 'any', 'db1 db2 web1 web2 web3 web10'],
    ['match a name whole', 'web1', 'web1'],
    ['match a topic whole', 'Linux and role:web', 'web1 web2 web3 web10'],
    ['are those on a quoted topic', "'rack 7'", 'db1 web1'],
    ['are those in any term of a list', 'web[1-2],role:db', 'db1 db2 web1 web2'],
    ['are those on both sides of and', 'role:web and arch:x86_64', 'web1 web10'],
    ['are those on either side of or', 'FreeBSD or web3', 'db2 web3'],
    ['are the others with not', 'not role:web', 'db1 db2'],
    ['are all others of a list with not', 'role:web and not web1,web3', 'web2 web10'],
    ['follow the parentheses', 'role:web and not (web2 or arch:x86_64)', 'web3'],
    ['match a glob with their names', 'web*', 'web1 web2 web3 web10'],
    ['match ? with one character', 'web?,db?', 'db1 db2 web1 web2 web3'],
    ['may be nobody', 'FreeBSD and Linux', ''],
    ['may be nobody where a fact is true of nobody', 'role:mail or os:debain', ''],
    ['may be nobody on the topic of agents without a name', "'old agents'", ''],
    ['do not match a glob with their topics', 'not r*', 'db1 db2 web1 web2 web3 web10'],
    ['are not fewer for a glob below not that matches nobody', 'role:db and not mail*', 'db1 db2'],
  ];
  for (const [what, text, nodes] of examples) {
    it(what, () => expect(reached(text)).to.equal(nodes));
  }

  it('have their name even when their agent does not say it as a topic', () => {
    const bare = knownNodes({ web1: ['any'] });
    expect(resolveTarget(parseTarget('web1'), bare)).to.deep.equal(['web1']);
  });

  it('are both the node of a name and those on a topic of that name', () => {
    const both = knownNodes({ web1: ['any'], web2: ['any', 'web1'] });
    expect(resolveTarget(parseTarget('not web1'), both)).to.deep.equal([]);
  });

  const unknown: ReadonlyArray<[text: string, message: string]> = [
    ['wbe1', 'no node or topic of the name wbe1 is known'],
    ['web[1-5]', 'no node or topic of the name web[4-5] is known'],
    ['wbe3 and web41 or wbe3', 'no node or topic of the name wbe3,web41 is known'],
    ['role:web and not wbe3', 'no node or topic of the name wbe3 is known'],
    ['not (any or (web1 and linux))', 'no node or topic of the name linux is known'],
    ['we', 'no node or topic of the name we is known'],
    ['web100', 'no node or topic of the name web100 is known'],
    ['rol*', 'no name of a node matches rol*'],
    ['not not mail*', 'no name of a node matches mail*'],
    ['web*,mail[1-2]*', 'no name of a node matches mail[1-2]*'],
    ['wbe* and not wbe3', 'no node or topic of the name wbe3 is known, and no name of a node matches wbe*'],
    ['n[1-50]', 'no node or topic of the name n[1-20] and 30 more is known'],
  ];
  for (const [text, message] of unknown) {
    it(`are not guessed: ${text}`, () => {
      expect(() => reached(text))
        .to.throw(ServiceManagerError)
        .that.includes({ code: 'UNKNOWN_NODE', message });
    });
  }

  it('are right when topics have more members and fewer than one in 32', () => {
    const names = Array.from({ length: 200 }, (_, index) => `n${index + 1}`);
    const many = knownNodes(
      Object.fromEntries(
        names.map((name, at) => [name, at < 3 ? ['any', 'few'] : at < 50 ? ['any', 'some'] : ['any']]),
      ),
    );
    const count = (text: string) => resolveTarget(parseTarget(text), many).length;
    expect(
      ['any', 'few', 'some', 'few,some', 'few,few', 'not some', 'some or n[1-200]'].map(count),
    ).to.deep.equal([200, 3, 47, 50, 3, 153, 200]);
  });

  it('are looked up once for a topic of many, however often it is named', () => {
    const asked: string[] = [];
    const onTopic = (text: string) => {
      asked.push(text);
      return known.onTopic(text);
    };
    resolveTarget(parseTarget('any,any or not (any and role:web)'), { ...known, onTopic });
    expect(asked).to.deep.equal(['any', 'role:web']);
  });

  const names = Array.from({ length: 10_000 }, (_, index) => `n${index + 1}`);
  const large = knownNodes(
    Object.fromEntries(names.map((name, at) => [name, ['any', at % 2 === 0 ? 'role:even' : 'role:odd']])),
  );
  const costly: ReadonlyArray<[text: string, count: number]> = [
    ['role:even and not n[1-500]', 4_750],
    [repeated('any', ',', 10_000), 10_000],
    [repeated('not role:odd', ' and ', 3_800), 5_000],
    [`n${repeated('*', '', 200)}1?`, 1_000],
    [repeated('*?*?*9*', ',', 100), 2_619],
  ];
  for (const [text, count] of costly) {
    it(`are soon found among ten thousand: ${text.slice(0, 30)}`, () => {
      const target = parseTarget(text);
      const startMs = performance.now();
      expect(resolveTarget(target, large)).to.have.length(count);
      expect(performance.now() - startMs).to.be.below(3_000);
    });
  }
});

function repeated(part: string, separator: string, count: number): string {
  return Array.from({ length: count }, () => part).join(separator);
}
