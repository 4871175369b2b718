import { expect } from 'chai';
import fc from 'fast-check';
import { foldNames, unfoldNames } from '../../../src/core/fold.ts';
import { inNaturalOrder } from '../../../src/core/natural-order.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';

function numbered(prefix: string, first: number, last: number, width = 0): string[] {
  return Array.from(
    { length: last - first + 1 },
    (_, at) => prefix + String(first + at).padStart(width, '0'),
  );
}

const hostNumber = fc
  .tuple(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 1, max: 4 }))
  .map(([number, width]) => String(number).padStart(width, '0'));
const realisticName = fc
  .tuple(
    fc.constantFrom('web', 'db', 'rack1-web', 'rack2-web', 'n', '10.0.0.', ''),
    hostNumber,
    fc.constantFrom('', '', '.example.org', '.dc1.example.org', '.dc02.example.org', 'b7'),
  )
  .map((parts) => parts.join(''));
const anyNodeName = fc.stringMatching(/^[a-z0-9_]([a-z0-9_.-]{0,20}[a-z0-9_])?$/);

describe('folding node names', () => {
  const examples: ReadonlyArray<[what: string, names: string[], folded: string]> = [
    ['prints nothing for no names', [], ''],
    ['leaves a lone name as it is', ['web1'], 'web1'],
    ['leaves names without numbers as they are', ['mail', 'dns'], 'dns,mail'],
    ['folds runs and keeps gaps', ['web1', 'web2', 'web3', 'web5', 'web7', 'web8'], 'web[1-3,5,7-8]'],
    ['keeps padding', [...numbered('web', 1, 38, 2), 'web40', 'db1'], 'db1,web[01-38,40]'],
    ['counts on past ten without padding', numbered('web', 8, 11), 'web[8-11]'],
    ['keeps padded and unpadded series apart', ['web1', 'web2', 'web01', 'web02'], 'web[01-02],web[1-2]'],
    ['does not fold web1 with web01', ['web1', 'web01'], 'web01,web1'],
    ['does not lengthen a padded series', ['web98', 'web09', 'web99', 'web100'], 'web[09,98-99],web100'],
    ['keeps the domain', ['web2.example.org', 'web1.example.org'], 'web[1-2].example.org'],
    ['keeps domains apart', ['web1.a.org', 'web2.b.org'], 'web1.a.org,web2.b.org'],
    [
      'varies the last number that makes a series',
      ['r1-w1.dc2', 'r1-w2.dc2', 'r2-w1.dc2'],
      'r1-w[1-2].dc2,r2-w1.dc2',
    ],
    ['varies an earlier number where the last one is alone', ['a1b7', 'a2b7'], 'a[1-2]b7'],
    ['removes duplicates', ['web1', 'web1', 'web2', 'db', 'db'], 'db,web[1-2]'],
    ['counts zero', ['n0', 'n1', 'n00', 'n01'], 'n[0-1],n[00-01]'],
    ['folds addresses', ['10.0.0.1', '10.0.0.2'], '10.0.0.[1-2]'],
    [
      'takes long digits as text',
      ['n1234567890123456', 'n1234567890123457'],
      'n1234567890123456,n1234567890123457',
    ],
  ];
  for (const [what, names, folded] of examples) {
    it(what, () => expect(foldNames(names)).to.equal(folded));
  }

  it('loses and adds no name, whatever the names', () => {
    const names = fc.array(fc.oneof({ weight: 4, arbitrary: realisticName }, anyNodeName), { maxLength: 60 });
    fc.assert(
      fc.property(names, (given) => {
        const expected = inNaturalOrder([...new Set(given)], (name) => name);
        expect(unfoldNames(foldNames(given))).to.deep.equal(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of the names', () => {
    const shuffled = fc
      .uniqueArray(realisticName, { maxLength: 30 })
      .chain((names) =>
        fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })),
      );
    fc.assert(
      fc.property(shuffled, ([names, others]) => {
        expect(foldNames(others)).to.equal(foldNames(names));
      }),
    );
  });

  it('folds a hundred thousand names into one', () => {
    expect(foldNames(numbered('web', 1, 100_000))).to.equal('web[1-100000]');
  });
});

describe('unfolding a node set', () => {
  const examples: ReadonlyArray<[what: string, text: string, names: string[]]> = [
    ['gives nothing for a blank text', ' ', []],
    ['gives each name once, in natural order', 'web[2,1],db1,web2', ['db1', 'web1', 'web2']],
    ['keeps padding', 'web[08-10]', ['web08', 'web09', 'web10']],
    [
      'counts a padded range past its width',
      'web[98-101,007]',
      ['web007', 'web98', 'web99', 'web100', 'web101'],
    ],
    ['takes blanks around names', ' web1 ,  db1 ', ['db1', 'web1']],
    ['varies several numbers', 'r[1-2]w[1-2]', ['r1w1', 'r1w2', 'r2w1', 'r2w2']],
  ];
  for (const [what, text, names] of examples) {
    it(what, () => expect(unfoldNames(text)).to.deep.equal(names));
  }

  const malformed = [
    'web[1-3',
    'web1-3]',
    'web[]',
    'web[1-]',
    'web[a-b]',
    'web[3-1]',
    'web[1-010]',
    'web[001-10]',
    'web[1,,2]',
    'web[[1]]',
    'web1,,db1',
    'web1,',
    ',',
    'web 1',
    'web[1-9999999999999999]',
  ];
  for (const text of malformed) {
    it(`refuses ${text}`, () => {
      expect(() => unfoldNames(text))
        .to.throw(ServiceManagerError, `node set "${text}": expected names like web[01-38,40],db1`)
        .with.property('code', 'BAD_USAGE');
    });
  }

  for (const text of [
    'n[1-100001]',
    'n[0-99999],m',
    'n[1-60000,1-60000]',
    'n[1-400]m[1-400]',
    'n[1-1000]m[1-1000]k[1-1000]',
    'n[1-999999999999999]',
  ]) {
    it(`refuses more than 100,000 names at once: ${text}`, () => {
      expect(() => unfoldNames(text))
        .to.throw(ServiceManagerError, 'more than 100000 names')
        .with.property('code', 'BAD_USAGE');
    });
  }

  it('gives exactly 100,000 names', () => {
    expect(unfoldNames('n[1-100000]')).to.have.length(100_000);
  });
});
