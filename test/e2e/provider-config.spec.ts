import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { built } from './harness/daemon.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

describe('an agent whose configuration names what serves its host', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  for (const [lines, reason] of [
    ['provider = systemd', 'provider = systemd: this host was not booted by systemd'],
    [
      'provider = rc\nservice_program = /nowhere/service',
      'service_program = /nowhere/service: this host has no such program',
    ],
    [
      'provider = runit\nservice_folder = /nowhere',
      'service_folder = /nowhere: this host has no such folder',
    ],
    ['service_program = no-such-program', 'service_program = no-such-program: this host has no such program'],
  ] as const) {
    it(`ends with 78 where that is not there: ${lines.replace('\n', ', ')}`, async () => {
      const folder = temporaryFolder();
      const file = join(folder, 'agent.conf');
      const endpoints = ['manager', 'sink', 'mgmt'].map(
        (name) => `${name}_endpoint = ipc://${folder}/${name}`,
      );
      writeFileSync(file, ['[Default]', ...endpoints, `state_dir = ${folder}`, lines, ''].join('\n'));
      const run = await runProgram(process.execPath, [built('service-mgr-agentd'), '-f', file, 'start']);
      expect(run, run.stderr).to.include({ code: 78 });
      expect(run.stderr).to.include(reason);
    });
  }
});
