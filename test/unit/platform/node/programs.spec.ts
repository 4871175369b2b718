import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodePrograms } from '../../../../src/platform/node/programs.ts';

describe('the programs of this host', () => {
  let folder: string;
  const isThere = (program: string, path = folder) => nodePrograms({ PATH: path }).isThere(program);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    writeFileSync(join(folder, 'smtest-program'), '', { mode: 0o755 });
    writeFileSync(join(folder, 'smtest-text'), '', { mode: 0o644 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are found by name on PATH, and by their path', () => {
    expect(isThere('smtest-program')).to.equal(true);
    expect(isThere(join(folder, 'smtest-program'), '')).to.equal(true);
    expect(isThere('smtest-program', '')).to.equal(false);
  });

  it('are found in the folders of the system, whatever PATH says', () => {
    expect(isThere('sh', '')).to.equal(true);
  });

  it('are neither texts nor folders nor what does not exist', () => {
    expect(isThere('smtest-text')).to.equal(false);
    expect(isThere(folder)).to.equal(false);
    expect(isThere('smtest-nothing')).to.equal(false);
  });
});
