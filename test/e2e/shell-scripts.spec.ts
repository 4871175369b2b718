import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram } from './harness/processes.ts';

const top = fileURLToPath(new URL('../../init.d/', import.meta.url));
const folders = ['Debian', 'CentOS', 'FreeBSD'];

describe('the scripts in init.d', () => {
  for (const folder of folders) {
    for (const name of readdirSync(join(top, folder))) {
      it(`${folder}/${name} has nothing that shellcheck warns of`, async () => {
        const checked = await runProgram('shellcheck', ['--shell=sh', join(top, folder, name)], {
          deadlineMs: 30_000,
        });
        expect(checked.stdout + checked.stderr).to.equal('');
        expect(checked.code).to.equal(0);
      }).timeout(30_000);
    }
  }
});
