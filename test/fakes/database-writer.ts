import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { eventually } from './eventually.ts';
import { program } from './proc-files.ts';

/** A process that has a database, or a file that only grows, open, and writes to it all the time. */
export class DatabaseWriter {
  readonly #child: ChildProcess;
  readonly #said: string;

  private constructor(child: ChildProcess, said: string) {
    this.#child = child;
    this.#said = said;
  }

  /** Resolves when it has written so much. `said` is a file that is to be made. */
  static async start(
    kind: 'store' | 'journal' | 'append-file' | 'turned-file',
    file: string,
    said: string,
    writes: number,
  ): Promise<DatabaseWriter> {
    const descriptor = openSync(said, 'w');
    const command = ['--import', 'tsx', program('keeps-writing.ts'), kind, file];
    const writer = new DatabaseWriter(
      spawn(process.execPath, command, { stdio: ['ignore', descriptor, 'inherit'] }),
      said,
    );
    closeSync(descriptor);
    await eventually(() => writer.written().length >= writes, 'the writer has written', 20_000);
    return writer;
  }

  /** Numbers of the writes that had returned. */
  written(): number[] {
    return readFileSync(this.#said, 'utf8').split('\n').slice(0, -1).map(Number);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
