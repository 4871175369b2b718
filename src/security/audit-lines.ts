import { auditLimits } from './audit-chain.ts';

const newline = 0x0a;

/**
 * Cuts the bytes of a log into its lines. Of a line that is longer than any line of ours only so much is kept that it is
 * seen to be too long, so a file without newlines takes no memory. A byte that is no ASCII stays one character that no
 * line has.
 */
export async function* auditLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  let begun = '';
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      yield grown(begun, chunk.subarray(from, end));
      begun = '';
      from = end + 1;
    }
    begun = grown(begun, chunk.subarray(from));
  }
  if (begun !== '') yield begun;
}

function grown(begun: string, bytes: Uint8Array): string {
  const room = auditLimits.lineCharacters + 1 - begun.length;
  return (
    begun + Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, room)).toString('latin1')
  );
}
