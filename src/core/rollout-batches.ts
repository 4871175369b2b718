/** How many nodes each batch has: the canary is one of its own, and the last may be smaller. `batch` is 1 or more. */
export function batchSizes(nodes: number, canary: number, batch: number): number[] {
  const first = Math.min(nodes, canary);
  const sizes = first > 0 ? [first] : [];
  for (let left = nodes - first; left > 0; left -= batch) sizes.push(Math.min(left, batch));
  return sizes;
}
