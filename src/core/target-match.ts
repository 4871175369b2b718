import { isServiceManagerError } from '../wire/errors.ts';
import type { RequestBody } from '../wire/request.ts';
import { matchesGlob } from './glob.ts';
import { plainTopic, type Target, type Term } from './target.ts';
import { parseTarget } from './target-parser.ts';

/** All that is known of one node: what it is called, and every topic that it listens to. */
export interface TargetNode {
  readonly name: string;
  readonly topics: ReadonlySet<string>;
}

export type NodeMatcher = (node: TargetNode) => boolean;

/**
 * Whether a node is in the target, as `resolveTarget` decides for all that are known. Of one node nobody can tell which
 * words are known, so an unknown one is true of nobody and no error.
 */
export function isInTarget(target: Target, node: TargetNode): boolean {
  return matcherOf(target)(node);
}

/** Reads the target once, for many nodes. Throws BAD_TARGET; `field` is what its message calls the text. */
export function targetMatcher(text: string, field?: string): NodeMatcher {
  return matcherOf(parseTarget(text, field));
}

/** The part of a request that says which nodes it can mean. */
export type MeantOrder = Pick<RequestBody, 'topic' | 'nodes' | 'exclude'>;

/**
 * Whether a request can mean this node, as `aim` decides for all that are known. It may still not be among those that
 * `limit` chooses. What `aim` refuses means nobody.
 */
export function couldMean({ topic, nodes, exclude }: MeantOrder, node: TargetNode): boolean {
  const isAimedAt =
    nodes === undefined ? isMeant(topic, node) === true : nodes.some((name) => name === node.name);
  return isAimedAt && (exclude === undefined || isMeant(exclude, node) === false);
}

/**
 * A text that is as a whole one of its topics is that topic, as in 2014. Undefined where it says something else when it
 * is read as a target: whoever wrote it may have meant either.
 */
function isMeant(text: string, node: TargetNode): boolean | undefined {
  const target = parsed(text);
  if (!node.topics.has(text)) return target !== undefined && isInTarget(target, node);
  return target === undefined || plainTopic(target) === text ? true : undefined;
}

function parsed(text: string): Target | undefined {
  try {
    return parseTarget(text);
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return undefined;
  }
}

function matcherOf(target: Target): NodeMatcher {
  switch (target.kind) {
    case 'or': {
      const operands = target.operands.map(matcherOf);
      return (node) => operands.some((isIn) => isIn(node));
    }
    case 'and': {
      const operands = target.operands.map(matcherOf);
      return (node) => operands.every((isIn) => isIn(node));
    }
    case 'not': {
      const isIn = matcherOf(target.operand);
      return (node) => !isIn(node);
    }
    case 'list':
      return anyOf(target.terms);
    default:
      return anyOf([target]);
  }
}

function anyOf(terms: readonly Term[]): NodeMatcher {
  const words = new Set(terms.flatMap(wordsOf));
  const patterns = terms.flatMap((term) => (term.kind === 'glob' ? term.patterns : []));
  return ({ name, topics }) =>
    words.has(name) || haveCommon(words, topics) || patterns.some((pattern) => matchesGlob(pattern, name));
}

function wordsOf(term: Term): readonly string[] {
  if (term.kind === 'glob') return [];
  return term.kind === 'word' ? [term.word] : term.words;
}

/** A list may name ten thousand nodes, and a node be on a thousand topics: the shorter one is gone through. */
function haveCommon(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  const [few, many] = one.size < other.size ? [one, other] : [other, one];
  for (const text of few) if (many.has(text)) return true;
  return false;
}
