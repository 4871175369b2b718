import type { NodeName } from '../wire/fields.ts';
import type { Rollout } from '../wire/request.ts';
import { chooseNodes } from './choice.ts';
import { inNaturalOrder } from './natural-order.ts';

/**
 * The nodes in the order of their turns. `name`: as people count. `random`: the same for the same seed and nodes, in
 * whatever order these are given. `roster`: as they are given, so those first that have been known longest.
 */
export function orderNodes(
  nodes: readonly NodeName[],
  order: NonNullable<Rollout['order']>,
  seed: number,
): NodeName[] {
  if (order === 'name') return inNaturalOrder(nodes, (node) => node);
  return order === 'random' ? chooseNodes(nodes, nodes.length, seed) : [...nodes];
}
