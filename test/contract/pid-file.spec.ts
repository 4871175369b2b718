import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NodePidFiles } from '../../src/platform/node/pid-file.ts';
import type { PidFiles } from '../../src/platform/pid-file.ts';
import { lockFile } from '../../src/store/process-lock.ts';
import { isServiceManagerError } from '../../src/wire/errors.ts';
import { MemoryPidFiles } from '../fakes/memory-pid-files.ts';

const implementations: Readonly<Record<string, () => PidFiles>> = {
  NodePidFiles: () => new NodePidFiles(lockFile),
  MemoryPidFiles: () => new MemoryPidFiles(),
};

for (const [name, open] of Object.entries(implementations)) {
  describe(`pid files: ${name}`, () => {
    let folder: string;
    let pidFiles: PidFiles;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
      pidFiles = open();
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const codeOf = async (taking: Promise<unknown>) => {
      const error: unknown = await taking.catch((thrown: unknown) => thrown);
      return isServiceManagerError(error) ? error.code : undefined;
    };

    it('are held by one at a time, and can be taken again afterwards', async () => {
      const path = join(folder, 'one.pid');
      const held = await pidFiles.take(path);
      expect(await codeOf(pidFiles.take(path))).to.equal('ALREADY_RUNNING');
      held.close();
      const again = await pidFiles.take(path);
      // The first one is not concerned any more.
      held.close();
      expect(await codeOf(pidFiles.take(path))).to.equal('ALREADY_RUNNING');
      again.close();
    });

    it('do not stand in the way of each other', async () => {
      const one = await pidFiles.take(join(folder, 'one.pid'));
      const other = await pidFiles.take(join(folder, 'other.pid'));
      one.close();
      other.close();
    });

    it('go to one of many who want it at the same moment', async () => {
      const path = join(folder, 'one.pid');
      const takings = await Promise.allSettled(Array.from({ length: 10 }, () => pidFiles.take(path)));
      const taken = takings.filter((taking) => taking.status === 'fulfilled');
      expect(taken).to.have.length(1);
      for (const { value } of taken) value.close();
    });
  });
}
