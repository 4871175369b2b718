import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { transform } from 'esbuild';
import { built } from './harness/daemon.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

/** Runs a program by this Node.js, which calls itself an older or newer one. */
async function runUnder(version: string, name: string) {
  const preload = join(temporaryFolder(), 'version.cjs');
  writeFileSync(
    preload,
    `Object.defineProperty(process, 'version', { value: 'v${version}' });
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  );
  return runProgram(process.execPath, ['--require', preload, built(name), '--version']);
}

describe('under a Node.js that is too old', () => {
  afterEach(cleanUp);

  for (const name of ['service-mgrd', 'service-mgr-agentd', 'service-mgr-client']) {
    it(`${name} says which one it needs`, async () => {
      for (const version of ['0.10.48', '12.22.12', '18.20.4', '20.18.3']) {
        expect(await runUnder(version, name), version).to.include({
          code: 78,
          stdout: '',
          stderr: `${name}: needs Node.js 20.19 or newer, and ${process.execPath} is v${version}\n`,
        });
      }
    });

    it(`${name} starts with a file that even the oldest one can read`, async () => {
      const { warnings } = await transform(readFileSync(built(name), 'utf8'), { target: 'es5' });
      expect(warnings).to.deep.equal([]);
    });

    it(`${name} says nothing under one that is new enough`, async () => {
      for (const version of ['20.19.0', '22.0.0', '100.0.0']) {
        expect(await runUnder(version, name), version).to.include({ code: 0, stderr: '' });
      }
    });
  }
});
