import type { Answer } from '../../wire/result.ts';
import { painter, type Summary, summaryOf } from './summary.ts';

const gap = '  ';
const narrowestOutput = 10;
const widestOutput = 200;

/**
 * One line per answer in plain columns, without borders: good for awk too. `columns` is the width to fit into; names
 * are never cut, so a very narrow terminal wraps. Nothing at all without answers.
 *
 * By hand, because cli-table3 takes seconds for 5,000 rows, and this a fraction of one.
 */
export function formatTable(answers: readonly Answer[], isColor: boolean, columns?: number): string {
  if (answers.length === 0) return '';
  const paint = painter(isColor);
  const summaries = answers.map(summaryOf);
  const head = ['NODE', summaries.some(({ isState }) => isState) ? 'STATE' : 'OUTCOME', 'CODE', 'TIME'];
  const rows = summaries.map(cellsOf);
  const widths = head.map((title, at) => widest([title, ...rows.map((row) => row[at] ?? '')]));
  const outputWidth = roomFor(widths, columns);
  const lines = summaries.map((summary, at) => {
    const [node = '', word = '', ...rest] = padded(rows[at] ?? [], widths);
    return [node, paint(summary, word), ...rest, cutTo(outputWidth, summary.lines[0] ?? '')];
  });
  return [[...padded(head, widths), 'OUTPUT'], ...lines]
    .map((cells) => `${cells.join(gap).trimEnd()}\n`)
    .join('');
}

function cellsOf({ node, word, returncode, isTimedOut, durationMs }: Summary): string[] {
  const code = returncode === undefined ? '-' : String(returncode);
  const time = durationMs === undefined ? '-' : `${Math.round(durationMs)} ms`;
  return [node ?? '(unnamed)', isTimedOut ? `${word} (timed out)` : word, code, time];
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, widthOf(text)), 0);
}

/** Numbers stand to the right, so that the large ones stick out. */
function padded(cells: readonly string[], widths: readonly number[]): string[] {
  return cells.map((cell, at) => {
    const blanks = ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell)));
    return at < 2 ? cell + blanks : blanks + cell;
  });
}

function roomFor(widths: readonly number[], columns: number | undefined): number {
  if (columns === undefined) return widestOutput;
  const taken = widths.reduce((sum, width) => sum + width + gap.length, 0);
  return Math.min(widestOutput, Math.max(narrowestOutput, columns - taken));
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns on a terminal: East Asian characters and emoji take two, combining marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

function columnsOf(character: string): 0 | 1 | 2 {
  if (character <= '~') return 1;
  if (/\p{M}/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

function cutTo(width: number, text: string): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = '...'.length;
  for (const character of text) {
    used += columnsOf(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}...`;
}
