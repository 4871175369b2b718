import { ServiceManagerError } from '../wire/errors.ts';

const widestText = 70;
// Controls, line and paragraph separators and halves of characters: none of them takes one column of one line.
const unshowable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * BAD_TARGET in three lines: what is wrong, the text, and a caret below the place in it (in UTF-16 units). Of a long
 * text the part around the place is shown. A character counts as one column, whatever its width.
 */
export function badTarget(field: string, text: string, at: number, what: string): ServiceManagerError {
  const before = [...text.slice(0, at)].length;
  const characters = [...text.replace(unshowable, '\ufffd')];
  const first = Math.max(0, Math.min(before - widestText / 2, characters.length - widestText));
  const behind = first + widestText;
  const head = first > 0 ? '...' : '';
  const tail = behind < characters.length ? '...' : '';
  const shown = head + characters.slice(first, behind).join('') + tail;
  const caret = `${' '.repeat(head.length + before - first)}^`;
  return new ServiceManagerError('BAD_TARGET', `${field}: ${what}\n${shown}\n${caret}`);
}
