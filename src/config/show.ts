const longestShown = 60;

/** Quoted, so that stray blanks and control characters can be seen. */
export function show(text: string): string {
  return JSON.stringify(text.length <= longestShown ? text : `${text.slice(0, longestShown)}...`);
}
