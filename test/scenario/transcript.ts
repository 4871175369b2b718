/**
 * A transcript is a text of commands, each behind `> ` on a line of its own, and below each, indented, what came of it.
 * Comments (`# `) and blank lines are for the reader. Gives the same text with what comes of the commands now.
 */
export function played(transcript: string, run: (command: string) => readonly string[]): string {
  const lines = transcript.trimEnd().split('\n');
  const now = lines.flatMap((line) => {
    if (line.startsWith('> ')) return [line, ...run(line.slice(2)).map((outcome) => `  ${outcome}`)];
    return line.startsWith('  ') ? [] : [line];
  });
  return `${now.join('\n')}\n`;
}
