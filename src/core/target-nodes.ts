import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName, Topic } from '../wire/fields.ts';
import { foldNames } from './fold.ts';
import { matchesGlob } from './glob.ts';
import { inNaturalOrder } from './natural-order.ts';
import { NodeSet } from './node-set.ts';
import type { Target } from './target.ts';

/** What a target is held against: all nodes that are known, whether they are there or not. */
export interface KnownNodes {
  /** Each node once. */
  all(): Iterable<{ readonly node: NodeName }>;
  get(name: string): { readonly node: NodeName } | undefined;
  onTopic(topic: string): ReadonlyArray<{ readonly node: NodeName }>;
  /** Somebody is on exactly this topic, be it an agent that does not say who it is. */
  isTopic(text: string): text is Topic;
}

/**
 * The nodes that the target reaches, in natural order; there may be none.
 *
 * A typing error is never silently nothing: UNKNOWN_NODE names all words that are no known node and no known topic, also
 * below `not`, where `not wbe3` would reach the very node that was to be spared. A word with a colon is a fact, which may
 * be true of nobody. A glob that matches no name is an error as well, but not below `not`: there it spares nobody, and
 * says no name that could be wrong.
 */
export function resolveTarget(target: Target, known: KnownNodes): NodeName[] {
  return new Resolution(known).nodes(target);
}

/** UNKNOWN_NODE for names of nodes. */
export function unknownNodes(names: Iterable<string>): ServiceManagerError {
  return new ServiceManagerError('UNKNOWN_NODE', `no node of the name ${shownNames([...names])} is known`);
}

const maxShownNames = 20;

function shownNames(names: readonly string[]): string {
  const more = names.length - maxShownNames;
  return foldNames(names.slice(0, maxShownNames)) + (more > 0 ? ` and ${more} more` : '');
}

class Resolution {
  readonly #known: KnownNodes;
  readonly #places = new Map<string, number>();
  readonly #nodes: NodeName[] = [];
  /** Topics of many nodes that were met already. */
  readonly #topics = new Map<string, NodeSet>();
  readonly #unknownWords = new Set<string>();
  readonly #unknownGlobs = new Set<string>();

  constructor(known: KnownNodes) {
    this.#known = known;
    for (const { node } of known.all()) {
      this.#places.set(node, this.#nodes.length);
      this.#nodes.push(node);
    }
  }

  nodes(target: Target): NodeName[] {
    const reached = this.#evaluate(target, false);
    const unknown = [
      this.#unknownWords.size > 0 &&
        `no node or topic of the name ${shownNames([...this.#unknownWords])} is known`,
      this.#unknownGlobs.size > 0 && `no name of a node matches ${shownNames([...this.#unknownGlobs])}`,
    ].filter((text) => text !== false);
    if (unknown.length > 0) throw new ServiceManagerError('UNKNOWN_NODE', unknown.join(', and '));
    return inNaturalOrder(
      this.#nodes.filter((_, place) => reached.has(place)),
      (node) => node,
    );
  }

  /** A set of its own, which the caller may change. Every part is looked at, so that every unknown word is found. */
  #evaluate(target: Target, isNegated: boolean): NodeSet {
    switch (target.kind) {
      case 'or':
        return this.#union(target.operands, isNegated);
      case 'list':
        return this.#union(target.terms, isNegated);
      case 'and':
        return this.#intersection(target.operands, isNegated);
      case 'not': {
        const set = this.#evaluate(target.operand, !isNegated);
        set.invert();
        return set;
      }
      case 'word':
        return this.#ofWords([target.word]);
      case 'fold':
        return this.#ofWords(target.words);
      case 'glob':
        return this.#ofPatterns(target.patterns, isNegated);
    }
  }

  #union(targets: readonly Target[], isNegated: boolean): NodeSet {
    const union = this.#none();
    for (const target of targets) union.addAll(this.#evaluate(target, isNegated));
    return union;
  }

  #intersection(targets: readonly Target[], isNegated: boolean): NodeSet {
    const intersection = this.#none();
    intersection.invert();
    for (const target of targets) intersection.keepOnly(this.#evaluate(target, isNegated));
    return intersection;
  }

  #ofWords(words: readonly string[]): NodeSet {
    const set = this.#none();
    for (const word of words) {
      const isNode = this.#addNode(word, set);
      const isTopic = this.#addTopic(word, set);
      const isKnown = isNode || isTopic || word.includes(':') || this.#known.isTopic(word);
      if (!isKnown) this.#unknownWords.add(word);
    }
    return set;
  }

  /** True when there is such a node, or one on such a topic. */
  #addNode(name: string, to: NodeSet): boolean {
    const place = this.#places.get(name);
    if (place !== undefined) to.add(place);
    return place !== undefined;
  }

  #addTopic(topic: string, to: NodeSet): boolean {
    const met = this.#topics.get(topic);
    if (met !== undefined) {
      to.addAll(met);
      return true;
    }
    const members = this.#known.onTopic(topic);
    // A set takes a step for every 32 nodes there are: for few members it would be the longer way.
    const isLarge = members.length * 32 > this.#nodes.length;
    const set = isLarge ? this.#none() : to;
    for (const { node } of members) this.#addNode(node, set);
    if (isLarge) {
      this.#topics.set(topic, set);
      to.addAll(set);
    }
    return members.length > 0;
  }

  #ofPatterns(patterns: readonly string[], isNegated: boolean): NodeSet {
    const set = this.#none();
    for (const pattern of patterns) {
      let isMatched = false;
      for (const [place, node] of this.#nodes.entries()) {
        if (!matchesGlob(pattern, node)) continue;
        set.add(place);
        isMatched = true;
      }
      if (!isMatched && !isNegated) this.#unknownGlobs.add(pattern);
    }
    return set;
  }

  #none(): NodeSet {
    return new NodeSet(this.#nodes.length);
  }
}
