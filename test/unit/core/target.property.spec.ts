import { expect } from 'chai';
import fc from 'fast-check';
import { foldNames } from '../../../src/core/fold.ts';
import type { Target, Term } from '../../../src/core/target.ts';
import { resolveTarget } from '../../../src/core/target-nodes.ts';
import { parseTarget } from '../../../src/core/target-parser.ts';
import { formatTarget } from '../../../src/core/target-text.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { knownNodes, topic } from './target-fleet.ts';

type Fleet = Readonly<Record<string, readonly string[]>>;

const names = ['web1', 'web2', 'web3', 'web10', 'db1', 'db2', 'n1'];
const topics = [
  'any',
  'Linux',
  'role:web',
  'role:db',
  'Debian GNU/Linux',
  'rack7',
  'and',
  "it's",
  'web*',
  'web2',
];
const words = [...names, ...topics, 'wbe3', 'role:none', 'web[1-2]', 'NOT', `a'b"c`, 'x,(y)'];

const word: fc.Arbitrary<Term> = fc
  .constantFrom(...words)
  .map((text) => ({ kind: 'word', word: topic(text), at: 0 }));
const fold: fc.Arbitrary<Term> = fc
  .tuple(fc.constantFrom('web', 'db', 'rack', 'role:'), fc.integer({ min: 1, max: 9 }), fc.nat({ max: 3 }))
  .map(([stem, first, more]) => ({
    kind: 'fold',
    text: `${stem}[${first}-${first + more},20]`,
    words: [...Array.from({ length: more + 1 }, (_, index) => `${stem}${first + index}`), `${stem}20`],
    at: 0,
  }));
const glob: fc.Arbitrary<Term> = fc.oneof(
  fc
    .stringMatching(/^[webd1*?]{0,4}[*?]$/)
    .map((text): Term => ({ kind: 'glob', text, patterns: [text], at: 0 })),
  fc.constant<Term>({ kind: 'glob', text: '*[1-2]?', patterns: ['*1?', '*2?'], at: 0 }),
);
const term = fc.oneof({ weight: 4, arbitrary: word }, fold, glob);
const anyWord: fc.Arbitrary<Term> = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
  .map((text) => ({ kind: 'word', word: topic(text), at: 0 }));

function targets(terms: fc.Arbitrary<Term>): fc.Arbitrary<Target> {
  return fc.letrec<{ target: Target }>((tie) => ({
    target: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      { weight: 3, arbitrary: terms },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), terms: several(terms) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constantFrom('or' as const, 'and' as const),
          operands: several(tie('target')),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('not' as const), operand: tie('target') }) },
    ),
  })).target;
}

function several<Item>(items: fc.Arbitrary<Item>): fc.Arbitrary<Item[]> {
  return fc.array(items, { minLength: 2, maxLength: 4 });
}

const rosters: fc.Arbitrary<Fleet> = fc
  .dictionary(fc.constantFrom(...names), fc.subarray(topics), { maxKeys: names.length })
  .map((fleet) => ({ ...fleet }));

function withoutPlaces(target: Target): unknown {
  return JSON.parse(JSON.stringify(target, (key, value) => (key === 'at' ? 0 : value)));
}

/** Node by node, and word by word. */
function isReached(target: Target, node: string, on: readonly string[]): boolean {
  switch (target.kind) {
    case 'or':
      return target.operands.some((operand) => isReached(operand, node, on));
    case 'and':
      return target.operands.every((operand) => isReached(operand, node, on));
    case 'not':
      return !isReached(target.operand, node, on);
    case 'list':
      return target.terms.some((each) => isReached(each, node, on));
    case 'word':
      return node === target.word || on.includes(target.word);
    case 'fold':
      return target.words.some((each) => node === each || on.includes(each));
    case 'glob':
      return target.patterns.some((pattern) => isMatched(pattern, node));
  }
}

function isMatched(pattern: string, node: string): boolean {
  return new RegExp(`^${pattern.replaceAll('?', '.').replaceAll('*', '.*')}$`).test(node);
}

interface Unknown {
  readonly words: string[];
  readonly globs: string[];
}

function unknownOf(target: Target, fleet: Fleet, isNegated = false): Unknown {
  const parts = (targets: readonly Target[], isOdd: boolean): Unknown => {
    const each = targets.map((part) => unknownOf(part, fleet, isOdd));
    return { words: each.flatMap(({ words }) => words), globs: each.flatMap(({ globs }) => globs) };
  };
  const isKnown = (text: string) =>
    text.includes(':') || text in fleet || Object.values(fleet).some((on) => on.includes(text));
  switch (target.kind) {
    case 'not':
      return parts([target.operand], !isNegated);
    case 'list':
      return parts(target.terms, isNegated);
    case 'word':
      return { words: isKnown(target.word) ? [] : [target.word], globs: [] };
    case 'fold':
      return { words: target.words.filter((each) => !isKnown(each)), globs: [] };
    case 'glob': {
      const isUsed = (pattern: string) => Object.keys(fleet).some((node) => isMatched(pattern, node));
      return { words: [], globs: isNegated ? [] : target.patterns.filter((pattern) => !isUsed(pattern)) };
    }
    default:
      return parts(target.operands, isNegated);
  }
}

/** The nodes, or what is wrong. More than 20 unknown words are told of in another test. */
function expectation(target: Target, fleet: Fleet): readonly string[] | string | undefined {
  const { words, globs } = unknownOf(target, fleet);
  if (new Set(words).size > 20 || new Set(globs).size > 20) return undefined;
  const complaints = [
    ...(words.length > 0 ? [`no node or topic of the name ${foldNames(words)} is known`] : []),
    ...(globs.length > 0 ? [`no name of a node matches ${foldNames(globs)}`] : []),
  ];
  if (complaints.length > 0) return complaints.join(', and ');
  return Object.keys(fleet)
    .filter((node) => isReached(target, node, fleet[node] ?? []))
    .sort();
}

function resolution(target: Target, fleet: Fleet): readonly string[] | string {
  try {
    return resolveTarget(target, knownNodes(fleet)).sort();
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'UNKNOWN_NODE') throw error;
    return error.message;
  }
}

/** True when it is a target; every error but BAD_TARGET goes up. */
function isTarget(text: string): boolean {
  try {
    const target = parseTarget(text);
    expect(withoutPlaces(parseTarget(formatTarget(target)))).to.deep.equal(withoutPlaces(target));
    return true;
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'BAD_TARGET') throw error;
    expect(error.message.split('\n')).to.have.length(3);
    return false;
  }
}

describe('any target', function () {
  this.timeout(60_000);

  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(targets(fc.oneof(term, anyWord)), (target) => {
        const text = formatTarget(target);
        const read = parseTarget(text);
        expect(withoutPlaces(read)).to.deep.equal(withoutPlaces(target));
        expect(formatTarget(read)).to.equal(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('reaches in any roster whom a look at each single node says, or names what is unknown', () => {
    let [reaching, refused] = [0, 0];
    const tame = targets(fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...known()) }, term));
    fc.assert(
      fc.property(tame, rosters, fc.boolean(), (target, sparse, isFull) => {
        const fleet = isFull ? { ...sparse, ...fullFleet } : sparse;
        const expected = expectation(target, fleet);
        if (expected === undefined) return;
        if (typeof expected === 'string') refused += 1;
        else if (expected.length > 0) reaching += 1;
        expect(resolution(parseTarget(formatTarget(target)), fleet)).to.deep.equal(expected);
      }),
      { numRuns: 4_000 },
    );
    expect(reaching, 'targets that reached somebody').to.be.above(500);
    expect(refused, 'targets with unknown words').to.be.above(500);
  });
});

describe('any text', function () {
  this.timeout(60_000);

  it('is a target or gets an error in three lines', () => {
    const piece = fc.constantFrom(
      ...'()[],\'"*?-: 19',
      'and ',
      'or ',
      'not ',
      'web',
      '[1-3]',
      '\u0000',
      '\ud800',
      '😀',
    );
    const pieces = fc.array(piece, { maxLength: 30, size: 'max' }).map((parts) => parts.join(''));
    const anything = fc.string({ unit: 'binary', maxLength: 30 });
    let targets = 0;
    fc.assert(
      fc.property(fc.oneof(pieces, anything), (text) => {
        if (isTarget(text)) targets += 1;
      }),
      { numRuns: 5_000 },
    );
    expect(targets).to.be.above(100);
  });

  const hostile = [
    '(',
    'not ',
    '*',
    '?*',
    '[',
    ']',
    "'",
    '"',
    '""',
    'a,',
    'a[',
    '[1]',
    'a or ',
    '((a)',
    'a[1-9],',
    ' ',
  ];
  for (const part of hostile) {
    it(`is soon judged when it is 64 KiB of ${part}`, () => {
      const startMs = performance.now();
      isTarget(part.repeat(65_536 / part.length));
      expect(performance.now() - startMs).to.be.below(2_000);
    });
  }
});

const fullFleet: Fleet = { web1: topics, web2: topics, db1: ['any'] };

/** Terms of which no roster with all topics says that they are unknown. */
function known(): Term[] {
  const plain = [
    'any',
    'Linux',
    'role:web',
    'role:db',
    'Debian GNU/Linux',
    'and',
    'web1',
    'role:none',
    "it's",
  ];
  return plain.map((text) => ({ kind: 'word', word: topic(text), at: 0 }));
}
