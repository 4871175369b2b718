import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { NodeName, Topic } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import { chooseNodes } from './choice.ts';
import { inNaturalOrder } from './natural-order.ts';
import { resolveQuantity } from './quantity.ts';
import { plainTopic, type Target } from './target.ts';
import { type KnownNodes, resolveTarget, unknownNodes } from './target-nodes.ts';
import { parseTarget } from './target-parser.ts';

/** The part of a request that says whom it is aimed at. */
export type AimOrder = Pick<RequestBody, 'topic' | 'nodes' | 'exclude' | 'limit' | 'seed'>;

export type Aimed =
  /** All agents on one topic, also those that do not say who they are; whether there are any is not looked at. */
  | { readonly kind: 'topic'; readonly topic: Topic }
  /** These nodes, by name, in natural order; there may be none. */
  | { readonly kind: 'nodes'; readonly nodes: readonly NodeName[] };

/**
 * Decides whom a request is aimed at. `nodes` go before `topic`, which is then not read; `exclude` is taken away, and of
 * what is left `limit` says how many are chosen. The same seed, 0 when there is none, chooses the same nodes.
 *
 * A text that is as a whole a topic which somebody is on is that topic, with blanks in it as in 2014. One that means
 * something else as an expression is refused.
 *
 * Throws BAD_TARGET for a text that is no target, UNKNOWN_NODE for names that are not known (see `resolveTarget`), and
 * BAD_USAGE for a limit that is no quantity.
 */
export function aim(order: AimOrder, known: KnownNodes): Aimed {
  const { nodes, exclude, limit, seed = 0 } = order;
  const target = nodes === undefined ? readTarget(order.topic, 'target', known) : undefined;
  const topic = target === undefined ? undefined : plainTopic(target);
  if (topic !== undefined && exclude === undefined && limit === undefined) return { kind: 'topic', topic };
  const excluded = exclude === undefined ? undefined : readTarget(exclude, 'exclude', known);
  const left =
    target === undefined ? namedNodes(nodes ?? [], excluded, known) : targetNodes(target, excluded, known);
  if (limit === undefined) return { kind: 'nodes', nodes: left };
  const count = resolveQuantity(limit, left.length, 'at-least-one');
  return { kind: 'nodes', nodes: inNaturalOrder(chooseNodes(left, count, seed), (node) => node) };
}

/** Whether an order that `aim` has taken was one for nodes, whoever was known then, and not one for a topic. */
export function isForNodes({ topic, nodes, exclude, limit }: AimOrder): boolean {
  if (nodes !== undefined || exclude !== undefined || limit !== undefined) return true;
  try {
    return plainTopic(parseTarget(topic, 'target')) === undefined;
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return false;
  }
}

function readTarget(text: string, field: string, known: KnownNodes): Target {
  if (!known.isTopic(text)) return parseTarget(text, field);
  // A node that may name its topics must not take over the targets of others.
  if (isExpression(text)) {
    const why = `field ${field}: it is an expression and also the name of a topic`;
    throw new ServiceManagerError('BAD_TARGET', `${why}, expected quotes around the topic\n${text}\n^`);
  }
  return { kind: 'word', word: text, at: 0 };
}

/** `Debian GNU/Linux` is none: without an operator it means nothing. `'rack 7'` with its quotes is one. */
function isExpression(text: string): boolean {
  try {
    return plainTopic(parseTarget(text, 'target')) !== text;
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return false;
  }
}

function targetNodes(target: Target, excluded: Target | undefined, known: KnownNodes): NodeName[] {
  if (excluded === undefined) return resolveTarget(target, known);
  // As one target, so that one message names the unknown words of both.
  const spared: Target = { kind: 'not', operand: excluded };
  return resolveTarget({ kind: 'and', operands: [target, spared] }, known);
}

function namedNodes(names: readonly NodeName[], excluded: Target | undefined, known: KnownNodes): NodeName[] {
  const unknown = new Set(names.filter((name) => known.get(name) === undefined));
  if (unknown.size > 0) throw unknownNodes(unknown);
  const everybody = new Set(names);
  if (excluded !== undefined) {
    const spared: Target = { kind: 'not', operand: excluded };
    return resolveTarget(spared, known).filter((node) => everybody.has(node));
  }
  return inNaturalOrder([...everybody], (node) => node);
}
