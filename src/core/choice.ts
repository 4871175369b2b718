import type { NodeName } from '../wire/fields.ts';

/**
 * So many of the nodes, in the order in which they are chosen: by a number that is drawn for each from the seed and its
 * name, the smallest first. So every node has the same chance, and the same seed chooses the same nodes, in whatever
 * order they are given; a larger count adds to a smaller one, and a node that joins or leaves the fleet displaces at
 * most one other. With a count of all nodes it is a random order of them. `seed`: 0 to 4294967295.
 */
export function chooseNodes(nodes: readonly NodeName[], count: number, seed: number): NodeName[] {
  return [...new Set(nodes)]
    .sort()
    .map((node) => ({ node, drawn: draw(seed, node) }))
    .sort((one, other) => one.drawn - other.drawn)
    .slice(0, count)
    .map(({ node }) => node);
}

// Twice through the whole name: what comes first has gone through as many rounds as what comes last.
function draw(seed: number, name: string): number {
  let drawn = stir(0, seed);
  for (let at = 0; at < name.length * 2; at += 1) drawn = stir(drawn, name.charCodeAt(at % name.length));
  return stir(stir(drawn, name.length), seed) >>> 0;
}

/** One to one in the state for each value, so that nothing of what was stirred in before is lost. */
function stir(state: number, value: number): number {
  const first = Math.imul(state ^ value ^ (value << 16), 0x9e3779b1);
  const second = Math.imul(first ^ (first >>> 15), 0x2c1b3c6d);
  return second ^ (second >>> 13);
}
