import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, rmSync, writeSync } from 'node:fs';
import type { TornLine } from '../append-file.ts';
import { isThereAlready } from './file-trouble.ts';
import { openNew } from './guarded-file.ts';
import { bytesAt, endOfLastLine } from './lines-backwards.ts';

const pieceBytes = 64 * 1024;

/** Moves what stands behind the last newline of an open file into one beside it. Undefined where there is nothing. */
export function moveTornLine(fd: number, path: string): TornLine | undefined {
  const { size } = fstatSync(fd);
  const from = endOfLastLine(fd, size);
  if (from === size) return undefined;
  const movedTo = copyBeside(fd, from, size, path);
  ftruncateSync(fd, from);
  return { movedTo, bytes: size - from };
}

function copyBeside(fd: number, from: number, size: number, path: string): string {
  const { fd: copy, path: movedTo } = openFree(`${path}.torn-`);
  try {
    for (let at = from; at < size; at += pieceBytes)
      writeAll(copy, bytesAt(fd, at, Math.min(size, at + pieceBytes)));
    fsyncSync(copy);
    return movedTo;
  } catch (error) {
    rmSync(movedTo, { force: true });
    throw error;
  } finally {
    closeSync(copy);
  }
}

function openFree(begin: string): { fd: number; path: string } {
  for (let number = 1; ; number += 1) {
    const path = `${begin}${number}`;
    try {
      return { fd: openNew(path, constants.O_WRONLY, 0o600), path };
    } catch (error) {
      if (!isThereAlready(error)) throw error;
    }
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}
