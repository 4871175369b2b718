import { fstatSync, readSync } from 'node:fs';
import { longestLineBytes } from '../append-file.ts';

const newline = 0x0a;
const pieceBytes = 64 * 1024;

/** Lines of an open file without their newlines, the last one first. Memory does not grow with a line. */
export function* linesBackwards(fd: number): Generator<string> {
  const { size } = fstatSync(fd);
  // The line that ends where the pieces read so far begin.
  let line: Buffer = Buffer.alloc(0);
  let isEnd = true;
  for (let from = size; from > 0; ) {
    const piece = bytesAt(fd, Math.max(0, from - pieceBytes), from);
    from = Math.max(0, from - pieceBytes);
    let end = piece.length;
    for (let at = newlineBefore(piece, end); at >= 0; at = newlineBefore(piece, end)) {
      // Behind the last newline there is no line.
      if (!isEnd || at + 1 < end) yield grown(piece.subarray(at + 1, end), line).toString('latin1');
      isEnd = false;
      line = Buffer.alloc(0);
      end = at;
    }
    line = grown(piece.subarray(0, end), line);
    isEnd = false;
  }
  if (size > 0) yield line.toString('latin1');
}

/** Where what stands behind the last newline begins. */
export function endOfLastLine(fd: number, size: number): number {
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - pieceBytes);
    const at = bytesAt(fd, from, end).lastIndexOf(newline);
    if (at >= 0) return from + at + 1;
    end = from;
  }
  return 0;
}

function newlineBefore(piece: Buffer, end: number): number {
  // Counted from the end, -1 would be the last byte.
  return end === 0 ? -1 : piece.lastIndexOf(newline, end - 1);
}

function grown(begin: Buffer, end: Buffer): Buffer {
  return Buffer.concat([begin, end]).subarray(-longestLineBytes);
}

export function bytesAt(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  let length = 0;
  for (let count = 1; count > 0 && length < bytes.length; length += count)
    count = readSync(fd, bytes, length, bytes.length - length, from + length);
  return bytes.subarray(0, length);
}
