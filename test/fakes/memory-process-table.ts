import type { LiveProcess, ProcessTable, SmallFile } from '../../src/platform/process-table.ts';

/** Processes and files as a test writes them down. */
export class MemoryProcessTable implements ProcessTable {
  readonly #processes = new Map<number, LiveProcess>();
  readonly #files = new Map<string, SmallFile>();
  #births = 0;

  /** A process that is the first or the next one with this id. */
  starts(pid: number, startedWallMs?: number): this {
    this.#births += 1;
    this.#processes.set(pid, { pid, born: `birth ${this.#births}`, startedWallMs });
    return this;
  }

  ends(pid: number): this {
    this.#processes.delete(pid);
    return this;
  }

  write(path: string, text: string, writtenWallMs = 0): this {
    this.#files.set(path, { text, writtenWallMs });
    return this;
  }

  find(pid: number): LiveProcess | undefined {
    return this.#processes.get(pid);
  }

  read(path: string): SmallFile | undefined {
    return this.#files.get(path);
  }
}
