import { createRequire } from 'node:module';
import type * as Library from '../../../src/client/index.ts';
import { built } from './daemon.ts';
import { onCleanUp } from './processes.ts';

/**
 * The public library as it was built, in this process: for many requests at once, which as many client programs would only
 * delay by their own starting. `cleanUp()` closes it.
 */
export function openLibrary(frontend: string): Library.ServiceManager {
  const library: typeof Library = createRequire(import.meta.url)(built('index'));
  const manager = new library.ServiceManager({ endpoints: [frontend], timeoutMs: 5_000 });
  onCleanUp(() => manager.close());
  return manager;
}
