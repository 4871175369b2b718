// Controls (C0 and C1), format characters such as the ones that turn the direction of text, line and paragraph
// separators, and lone surrogates: all that makes a terminal do something, or show something else than what is there.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text on one line and safe for a terminal: every control character as `\xNN`, beyond that as `\u{NNNN}`. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

// JSON itself escapes only C0. U+009B alone begins an escape sequence on terminals that know 8-bit controls.
const unsafeInJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same JSON, with what JSON.stringify leaves raw for a terminal as `\uNNNN`. */
export function printableJson(json: string): string {
  return json.replace(unsafeInJson, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The lines that say something: made printable, blanks folded, empty lines dropped. */
export function printableLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => printable(line.trim().replace(/[ \t]+/g, ' ')))
    .filter((line) => line !== '');
}
