import { cutTo, layoutOf, lineOf, padded, takenBy } from './columns.ts';
import { painter, type Summary } from './summary.ts';

const narrowestOutput = 10;
const widestOutput = 200;

/**
 * One line per node in plain columns. `columns` is the width to fit into; names are never cut, so a very narrow terminal
 * wraps. Nothing at all without nodes.
 *
 * By hand, because cli-table3 takes seconds for 5,000 rows, and this a fraction of one.
 */
export function formatTable(summaries: readonly Summary[], isColor: boolean, columns?: number): string {
  if (summaries.length === 0) return '';
  const paint = painter(isColor);
  const rows = summaries.map(cellsOf);
  const head = ['NODE', summaries.some(({ isState }) => isState) ? 'STATE' : 'OUTCOME', 'CODE', 'TIME'];
  const layout = layoutOf(head, rows, (column) => column >= 2);
  const room = columns === undefined ? widestOutput : columns - takenBy(layout);
  const outputWidth = Math.min(widestOutput, Math.max(narrowestOutput, room));
  const lines = summaries.map((summary, at) => {
    const [node = '', word = '', ...rest] = padded(layout, rows[at] ?? []);
    return lineOf([node, paint(summary, word), ...rest, cutTo(outputWidth, summary.lines[0] ?? '')]);
  });
  return [lineOf([...padded(layout, head), 'OUTPUT']), ...lines].join('');
}

function cellsOf({ node, count, word, returncode, isTimedOut, durationMs }: Summary): string[] {
  const name = node ?? (count === 1 ? '(unnamed)' : `(${count} unnamed)`);
  const code = returncode === undefined ? '-' : String(returncode);
  const time = durationMs === undefined ? '-' : `${Math.round(durationMs)} ms`;
  return [name, isTimedOut ? `${word} (timed out)` : word, code, time];
}
