import { expect } from 'chai';
import fc from 'fast-check';
import { foldNames } from '../../../src/core/fold.ts';
import type { Target, Term } from '../../../src/core/target.ts';
import { resolveTarget } from '../../../src/core/target-nodes.ts';
import { parseTarget } from '../../../src/core/target-parser.ts';
import { formatTarget } from '../../../src/core/target-text.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { knownNodes, topic } from './target-fleet.ts';
import {
  anyWord,
  type Fleet,
  isMatched,
  isReached,
  rosters,
  targets,
  term,
  topics,
} from './target-random.ts';

function withoutPlaces(target: Target): unknown {
  return JSON.parse(JSON.stringify(target, (key, value) => (key === 'at' ? 0 : value)));
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
