import { expect } from 'chai';
import { plainTopic } from '../../../src/core/target.ts';
import { parseTarget } from '../../../src/core/target-parser.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';

/** The tree in Lisp's notation, without positions. */
function tree(text: string): string {
  const print = (target: ReturnType<typeof parseTarget>): string => {
    switch (target.kind) {
      case 'or':
      case 'and':
        return `(${target.kind} ${target.operands.map(print).join(' ')})`;
      case 'not':
        return `(not ${print(target.operand)})`;
      case 'list':
        return `(list ${target.terms.map(print).join(' ')})`;
      case 'word':
        return `<${target.word}>`;
      case 'fold':
        return `(fold ${target.words.join(' ')})`;
      case 'glob':
        return `(glob ${target.patterns.join(' ')})`;
    }
  };
  return print(parseTarget(text));
}

function failure(text: string): string {
  try {
    parseTarget(text);
  } catch (error) {
    expect(error).to.be.instanceOf(ServiceManagerError).with.property('code', 'BAD_TARGET');
    return error instanceof Error ? error.message : '';
  }
  throw new Error(`${text} was read as a target`);
}

describe('reading a target', () => {
  const examples: ReadonlyArray<[what: string, text: string, tree: string]> = [
    ['takes one word as it is', 'role:web', '<role:web>'],
    ['takes blanks around it away', '  web1 ', '<web1>'],
    ['binds and before or', 'a and b or c and d', '(or (and <a> <b>) (and <c> <d>))'],
    ['binds not before and', 'not a and not b', '(and (not <a>) (not <b>))'],
    ['binds a comma before not', 'not a,b and c', '(and (not (list <a> <b>)) <c>)'],
    ['keeps several operands of one operator together', 'a or b or c', '(or <a> <b> <c>)'],
    ['lets parentheses group', 'a and (b or not (c))', '(and <a> (or <b> (not <c>)))'],
    ['needs no blanks around parentheses', 'not(a)and(b)', '(and (not <a>) <b>)'],
    ['negates twice', 'not not a', '(not (not <a>))'],
    ['takes operators in any letter case', 'a AND Not b Or c', '(or (and <a> (not <b>)) <c>)'],
    ['takes blanks around a comma', 'a , b,c', '(list <a> <b> <c>)'],
    ['unfolds brackets', 'web[08-10],db1', '(list (fold web08 web09 web10) <db1>)'],
    ['unfolds several brackets in one word', 'r[1-2]w[1,3]', '(fold r1w1 r1w3 r2w1 r2w3)'],
    ['takes blanks in brackets', 'web[1, 3-4] and any', '(and (fold web1 web3 web4) <any>)'],
    ['unfolds topics as well', 'role:web[1-2]', '(fold role:web1 role:web2)'],
    ['knows globs', 'web*,db?', '(list (glob web*) (glob db?))'],
    ['unfolds what is a glob', 'rack[1-2]-*', '(glob rack1-* rack2-*)'],
    ['takes quoted words as they stand', `'Debian GNU/Linux',"a,b"`, '(list <Debian GNU/Linux> <a,b>)'],
    ['takes doubled quotes for one', `'it''s' or "say ""so"""`, `(or <it's> <say "so">)`],
    [
      'takes quoted operators, globs and brackets for words',
      `'and','web*',"web[1-2]"`,
      '(list <and> <web*> <web[1-2]>)',
    ],
    [
      'does not take a word for an operator that begins like one',
      'android or order',
      '(or <android> <order>)',
    ],
    ['takes letters of any script', 'größe:XL and 東京', '(and <größe:XL> <東京>)'],
  ];
  for (const [what, text, expected] of examples) {
    it(what, () => expect(tree(text)).to.equal(expected));
  }

  it('knows where each term stands', () => {
    expect(parseTarget(" a and 'b c' ,d[1-2]")).to.deep.equal({
      kind: 'and',
      operands: [
        { kind: 'word', word: 'a', at: 1 },
        {
          kind: 'list',
          terms: [
            { kind: 'word', word: 'b c', at: 7 },
            { kind: 'fold', text: 'd[1-2]', words: ['d1', 'd2'], at: 14 },
          ],
        },
      ],
    });
  });

  for (const [text, expected] of [
    ['web1', 'web1'],
    ["('Debian GNU/Linux')", 'Debian GNU/Linux'],
    ['web1,db1', undefined],
    ['not web1', undefined],
    ['web*', undefined],
    ['web[1]', undefined],
  ] as const) {
    it(`${expected === undefined ? 'is no plain topic' : 'is a plain topic'}: ${text}`, () => {
      expect(plainTopic(parseTarget(text))).to.equal(expected);
    });
  }
});

describe('what is wrong with a target', () => {
  const operand = 'a name, a topic, "not" or "("';
  const afterComma = 'a name or a topic after the comma';
  const more = '"and", "or" or the end';
  const quote = '; a topic with blanks in it is written in quotes';
  const examples: ReadonlyArray<[text: string, what: string, place: number]> = [
    ['', `expected ${operand}, found the end`, 0],
    ['role:web and', `expected ${operand}, found the end`, 12],
    ['or web1', `expected ${operand}, found "or"`, 0],
    ['web1 and or', `expected ${operand}, found "or"`, 9],
    ['role:web db1', `expected ${more}, found another word${quote}`, 9],
    ['Debian GNU/Linux and web1', `expected ${more}, found another word${quote}`, 7],
    ['web1 not db1', `expected ${more}, found "not"`, 5],
    ['web1)', `expected ${more}, found ")"`, 4],
    ['(web1 or db1', 'expected "and", "or" or ")", found the end', 12],
    ['(web1) (db1)', `expected ${more}, found "("`, 7],
    ['()', `expected ${operand}, found ")"`, 1],
    ['web1,,db1', `expected ${afterComma}, found ","`, 5],
    ['web1,', `expected ${afterComma}, found the end`, 5],
    ['web1,(db1 or db2)', `expected ${afterComma}, found "("`, 5],
    ['web1,not db1', `expected ${afterComma}, found "not"`, 5],
    ['any and web[1-3', 'the other half of "[" is missing', 11],
    ['any and web1]', 'the other half of "]" is missing', 12],
    ["any and 'rack 7", 'the other half of "\'" is missing', 8],
    ['it"s', "the other half of '\"' is missing", 2],
    ['any and web[3-1]', 'node set "web[3-1]": expected names like web[01-38,40],db1', 8],
    ['web[[1]]', 'the other half of "[" is missing', 3],
    ['web[a-z]*', 'node set "web[a-z]*": expected names like web[01-38,40],db1', 0],
    ["any or ''", 'expected a topic of 1 to 255 printable characters', 7],
  ];
  for (const [text, what, place] of examples) {
    it(`is shown with a caret: ${text || 'nothing at all'}`, () => {
      expect(failure(text)).to.equal(`target: ${what}\n${text}\n${' '.repeat(place)}^`);
    });
  }

  it('is said of the field that it stands in', () => {
    expect(() => parseTarget('web1 or', 'exclude')).to.throw(
      ServiceManagerError,
      /^exclude: expected a name/,
    );
  });

  it('is shown below the character, however many UTF-16 units are before it', () => {
    expect(failure('😀😀 and )').split('\n')[2]).to.equal(`${' '.repeat(7)}^`);
  });

  it('is shown with what is around it in a long text', () => {
    const [, shown = '', caret = ''] = failure(`${'web1 or '.repeat(50)})${' and db1'.repeat(50)}`).split(
      '\n',
    );
    expect(shown)
      .to.match(/^\.\.\..*or \).* and.*\.\.\.$/)
      .and.to.have.length(76);
    expect(shown.charAt(caret.indexOf('^'))).to.equal(')');
  });

  it('is shown at the end of a long text', () => {
    const [, shown = '', caret = ''] = failure(`${'web1 or '.repeat(50)}db1 or`).split('\n');
    expect(shown)
      .to.match(/^\.\.\..* or db1 or$/)
      .and.to.have.length(73);
    expect(caret.indexOf('^')).to.equal(shown.length);
  });

  it('is shown without what would break the lines', () => {
    expect(failure('a\u2028b\u0007 and )').split('\n')[1]).to.equal('a\ufffdb\ufffd and )');
  });

  const bounds: ReadonlyArray<[what: string, good: string, bad: string, why: string]> = [
    ['a long word', 'w'.repeat(255), 'w'.repeat(256), 'expected a topic of 1 to 255 printable characters'],
    [
      'a long word around brackets',
      `${'w'.repeat(255)}[1-2]`,
      `${'w'.repeat(256)}[1-2]`,
      'expected a topic of 1 to 255 printable characters',
    ],
    ['a long text', `a${' '.repeat(65_535)}`, `a${' '.repeat(65_536)}`, 'longer than 65536 characters'],
    [
      'many parentheses in each other',
      `${'('.repeat(100)}a${')'.repeat(100)}`,
      `${'('.repeat(101)}a${')'.repeat(101)}`,
      '"not" and "(" are nested deeper than 100',
    ],
    [
      'many negations of each other',
      `${'not '.repeat(100)}a`,
      `${'not '.repeat(101)}a`,
      '"not" and "(" are nested deeper than 100',
    ],
    ['many terms', terms('a', 10_000), terms('a', 10_001), 'more than 10000 terms'],
    ['many folded names', 'a[1-99999],b[1]', 'a[1-99999],b[1-2]', 'more than 100000 names'],
    ['many globs', terms('a*', 100), terms('a*', 101), 'more than 100 names with "*" or "?"'],
    ['many folded globs', 'a[1-100]*', 'a[1-101]*', 'more than 100 names with "*" or "?"'],
    ['many brackets', `a${'[1]'.repeat(5)}`, `a${'[1]'.repeat(6)}`, 'more than 5 brackets in a word'],
  ];
  for (const [what, good, bad, why] of bounds) {
    it(`is ${what}, from a bound on`, () => {
      parseTarget(good);
      expect(failure(bad)).to.match(new RegExp(`^target: ${why.replace(/[()*?]/g, '\\$&')}\n`));
    });
  }

  it('is not the depth of what stands side by side', () => {
    parseTarget('(not a) and '.repeat(1_000).concat('b'));
  });
});

function terms(term: string, count: number): string {
  return Array.from({ length: count }, () => term).join(',');
}
