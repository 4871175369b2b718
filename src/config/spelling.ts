const farthest = 2;

/** The end of a message about an unknown name. */
export function advice(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? `expected ${candidates.join(', ')}` : `did you mean ${meant}?`;
}

/** The candidate that was probably meant, or undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = farthest + 1;
  for (const candidate of candidates) {
    // Of a short word, two letters are too much to guess.
    const limit = Math.min(farthest, Math.floor(candidate.length / 3));
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), limit);
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters to insert, drop or exchange; more than `limit` is only said to be more. */
function editDistance(from: string, to: string, limit: number): number {
  // Also keeps a key of a million letters cheap.
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    row = nextRow(row, index, letter, to);
  }
  return row.at(-1) ?? limit + 1;
}

function nextRow(above: readonly number[], index: number, letter: string, to: string): number[] {
  const row = [index + 1];
  let left = index + 1;
  for (let column = 0; column < to.length; column += 1) {
    const diagonal = above[column] ?? 0;
    const up = above[column + 1] ?? 0;
    left = Math.min(left + 1, up + 1, diagonal + (letter === to[column] ? 0 : 1));
    row.push(left);
  }
  return row;
}
