/**
 * Whether a whole name matches a pattern in which `*` stands for any characters, also none, and `?` for one. The shortest
 * stretch is taken for each `*` and never given back but to the last one, so it takes at most length times length steps.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let inPattern = 0;
  let inName = 0;
  // Behind the last star, and where in the name what stands behind it was last tried.
  let behindStar = -1;
  let tried = 0;
  while (inName < name.length) {
    const wanted = pattern[inPattern];
    if (wanted === '*') {
      inPattern += 1;
      behindStar = inPattern;
      tried = inName;
    } else if (wanted === '?' || wanted === name[inName]) {
      inPattern += 1;
      inName += 1;
    } else if (behindStar >= 0) {
      tried += 1;
      inPattern = behindStar;
      inName = tried;
    } else return false;
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}
