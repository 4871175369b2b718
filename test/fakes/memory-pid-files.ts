import type { PidFile, PidFiles } from '../../src/platform/pid-file.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';

/** Pid files of a host on which all processes have the number 1. */
export class MemoryPidFiles implements PidFiles {
  readonly taken = new Set<string>();

  async take(path: string): Promise<PidFile> {
    if (this.taken.has(path))
      throw new ServiceManagerError('ALREADY_RUNNING', `already running with pid 1 (${path})`);
    this.taken.add(path);
    let isClosed = false;
    const close = () => {
      if (!isClosed) this.taken.delete(path);
      isClosed = true;
    };
    return { close };
  }
}
