import type { NodeName } from '../wire/fields.ts';
import { foldNames } from './fold.ts';
import { inNaturalOrder } from './natural-order.ts';

const tokenLength = 16;

/**
 * The fingerprint of an action, a service and all nodes that it is aimed at, whatever their order: the first 16
 * characters of `sha256`, which gives the hash of a text in hex.
 */
export function planToken(
  action: string,
  service: string,
  nodes: Iterable<string>,
  sha256: (text: string) => string,
): string {
  // As JSON no two plans are the same text, whatever stands in the names.
  const plan = JSON.stringify([action, service, ...[...new Set(nodes)].sort()]);
  return sha256(plan).slice(0, tokenLength);
}

export interface PlanDifference {
  readonly added: readonly NodeName[];
  readonly removed: readonly NodeName[];
  /** `+web4 -web[7-8]`, on one line; empty when nothing is different. */
  readonly text: string;
}

/** What has changed since the plan, in natural order. */
export function planDifference(planned: Iterable<NodeName>, now: Iterable<NodeName>): PlanDifference {
  const before = new Set(planned);
  const after = new Set(now);
  const added = without(after, before);
  const removed = without(before, after);
  const text = [signed('+', added), signed('-', removed)].filter((part) => part !== '').join(' ');
  return { added, removed, text };
}

function without(nodes: ReadonlySet<NodeName>, others: ReadonlySet<NodeName>): NodeName[] {
  return inNaturalOrder(
    [...nodes].filter((node) => !others.has(node)),
    (node) => node,
  );
}

function signed(sign: string, nodes: readonly NodeName[]): string {
  return nodes.length === 0 ? '' : sign + foldNames(nodes);
}
