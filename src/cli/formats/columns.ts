import { printable } from './printable.ts';

const gap = '  ';

export interface Layout {
  readonly head: readonly string[];
  readonly widths: readonly number[];
  /** Columns that stand to the right: numbers, so that the large ones stick out. */
  readonly isRight: (column: number) => boolean;
}

/** Plain columns without borders, as wide as their widest cell: good for awk too. */
export function layoutOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isRight: (column: number) => boolean = () => false,
): Layout {
  const widths = head.map((title, at) => widest([title, ...rows.map((row) => row[at] ?? '')]));
  return { head, widths, isRight };
}

/** The cells, each filled up to the width of its column. */
export function padded({ widths, isRight }: Layout, cells: readonly string[]): string[] {
  return cells.map((cell, at) => {
    const blanks = ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell)));
    return isRight(at) ? blanks + cell : cell + blanks;
  });
}

export function lineOf(cells: readonly string[]): string {
  return `${cells.join(gap).trimEnd()}\n`;
}

/** What is known of one thing, a line for each: `name  value`. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const rows = fields.map(([name, value]) => [name, printable(value) || '-']);
  const layout = layoutOf(['', ''], rows);
  return rows.map((cells) => lineOf(padded(layout, cells))).join('');
}

/** What all columns take, with the gap behind each. */
export function takenBy({ widths }: Layout): number {
  return widths.reduce((sum, width) => sum + width + gap.length, 0);
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, widthOf(text)), 0);
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns on a terminal: East Asian characters and emoji take two, combining marks none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

function columnsOf(character: string): 0 | 1 | 2 {
  if (character <= '~') return 1;
  if (/\p{M}/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** The text, with `...` in place of what does not fit. */
export function cutTo(width: number, text: string): string {
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
