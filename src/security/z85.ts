const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const valueOfDigit = new Map([...digits].map((digit, value) => [digit, value]));

/** Z85 (ZeroMQ RFC 32), the text form of CURVE keys: five characters for four bytes, so the length must be a multiple of four. */
export function encodeZ85(bytes: Uint8Array): string {
  if (bytes.byteLength % 4 !== 0) throw new RangeError(`${bytes.byteLength} bytes are no multiple of 4`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at < bytes.byteLength; at += 4) text += encodeWord(view.getUint32(at));
  return text;
}

/** Undefined when the text is not Z85. Each text has its own bytes: a changed character never goes unnoticed. */
export function decodeZ85(text: string): Buffer | undefined {
  if (text.length % 5 !== 0) return undefined;
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let at = 0; at < text.length; at += 5) {
    const word = decodeWord(text.slice(at, at + 5));
    if (word === undefined) return undefined;
    bytes.writeUInt32BE(word, (at / 5) * 4);
  }
  return bytes;
}

function encodeWord(word: number): string {
  let text = '';
  let rest = word;
  for (let place = 0; place < 5; place += 1) {
    text = digits.charAt(rest % 85) + text;
    rest = Math.floor(rest / 85);
  }
  return text;
}

function decodeWord(text: string): number | undefined {
  let word = 0;
  for (let place = 0; place < 5; place += 1) {
    const value = valueOfDigit.get(text.charAt(place));
    if (value === undefined) return undefined;
    word = word * 85 + value;
  }
  // Five digits reach further than four bytes do.
  return word < 2 ** 32 ? word : undefined;
}
