import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onCleanUp } from './processes.ts';

/** A folder that `cleanUp()` takes away. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'smtest-'));
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
