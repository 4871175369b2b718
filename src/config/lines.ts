import { unsafe } from 'ini';

export interface SectionLine {
  readonly kind: 'section';
  readonly line: number;
  readonly section: string;
}

export interface EntryLine {
  readonly kind: 'entry';
  readonly line: number;
  /** Undefined above the first section. */
  readonly section: string | undefined;
  readonly key: string;
  readonly value: string;
}

export interface UnreadableLine {
  readonly kind: 'unreadable';
  readonly line: number;
  readonly text: string;
}

export type IniLine = SectionLine | EntryLine | UnreadableLine;

// The shapes that the ini package goes by. It skips what it cannot read and takes an indented or commented
// header for a key; both would surprise an admin, so here they come out as unreadable.
const blankOrComment = /^\s*(?:[;#]|$)/;
const header = /^\[([^\]]*)\]\s*$/;
const entry = /^([^=]+)=(.*)$/;
const brokenHeader = /^\s*\[([^\]]*)\]?/;

/**
 * The lines of an INI text that say something, with their numbers. `ini.parse` gives no numbers and overwrites
 * duplicates, so the text is cut into lines here; comments, quotes and escapes are left to the package.
 */
export function* iniLines(text: string): Generator<IniLine> {
  let section: string | undefined;
  let line = 0;
  for (const content of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    line += 1;
    if (blankOrComment.test(content)) continue;
    const read = readLine(content, line, section);
    // A broken header still opens its section: one mistake should give one message, not one for every key below.
    if (read.kind === 'section') section = read.section;
    if (read.kind === 'unreadable') section = brokenHeader.exec(content)?.[1]?.trim() ?? section;
    yield read;
  }
}

function readLine(content: string, line: number, section: string | undefined): IniLine {
  const name = header.exec(content)?.[1];
  if (name !== undefined) return { kind: 'section', line, section: plain(name) };
  const [, key, value] = entry.exec(content) ?? [];
  if (key === undefined || value === undefined || brokenHeader.test(content)) {
    return { kind: 'unreadable', line, text: content.trim() };
  }
  return { kind: 'entry', line, section, key: plain(key), value: plain(value) };
}

/** Without quotes, comment and escapes. */
function plain(raw: string): string {
  const read: unknown = unsafe(raw);
  if (typeof read === 'string') return read.trim();
  // The package reads what stands in single quotes as JSON: '5' would be a number. Values are text here.
  return raw.trim().slice(1, -1).trim();
}
