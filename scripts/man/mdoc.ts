/** Text in which no formatter sees a request or an escape, and breaks no option and no path at a dash. */
export function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replace(/\S*\/\S*/g, (path) => path.replaceAll('-', '\\-'))
    .replace(/(^|[\s("'[])-(?=[-\w])/gm, '$1\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

/** A word of a macro's line, where some words are macros themselves. */
export function word(text: string): string {
  const safe = plain(text);
  return /^[A-Z%][A-Za-z0-9]{0,2}$|^[,:;()[\]?!|]/.test(safe) ? `\\&${safe}` : safe;
}

/** With each sentence on a line of its own, as mdoc(7) wants it, and a full stop at its end. */
export function sentences(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return onePerLine(/[.:!?]$/.test(capital) ? capital : `${capital}.`);
}

function onePerLine(text: string): string {
  return plain(text.replace(/([^.][.!?]) (?=[A-Z])/g, '$1\n'));
}

export function list(kind: string, items: readonly string[]): string {
  return items.length === 0 ? '' : [`.Bl ${kind}`, ...items, '.El'].join('\n');
}

/** `a, b and c` */
export function enumeration(words: readonly string[]): string {
  const [last, ...others] = words.toReversed();
  return others.length === 0 ? (last ?? '') : `${others.reverse().join(', ')} and ${last}`;
}

/** The paragraphs of a help text: those that are indented keep their lines. */
export function paragraphs(text: string): string {
  const blocks = text.trim().split(/\n{2,}/);
  return blocks.map((block) => `.Pp\n${/^ {2}/m.test(block) ? literal(block) : flowing(block)}`).join('\n');
}

function flowing(block: string): string {
  return onePerLine(block.replace(/\s*\n\s*/g, ' '));
}

function literal(block: string): string {
  return `.Bd -literal -compact\n${plain(block)}\n.Ed`;
}
