import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FreeBsdRc } from '../../../src/provider/freebsd-rc.ts';
import { reap, startNamespace } from '../../e2e/harness/namespace.ts';
import { temporaryFolder } from '../../e2e/harness/temporary-folder.ts';
import {
  type Kind,
  killInside,
  mainProcess,
  pidsInside,
  processesInside,
  processTableInside,
} from './service-host.ts';

const fixture = fileURLToPath(new URL('../../fakes/freebsd/', import.meta.url));

export const rcScripts: Readonly<Record<string, string>> = {
  good: `command='${mainProcess}'`,
  failing: 'start_cmd() { echo tried; echo failed >&2; return 1; }\nstatus_cmd() { return 1; }',
  hanging: 'start_cmd() { exec sleep 2147481; }\nstatus_cmd() { return 1; }',
  talking: "status_cmd() { printf 'caf\\351 end\\n'; }",
};

/** A folder with a service(8) as FreeBSD has it, its rc.conf(5), and these rc.d scripts. */
export function freeBsdFolder(scripts: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  cpSync(fixture, folder, { recursive: true });
  for (const each of ['rc.d', 'run']) mkdirSync(join(folder, each));
  for (const [name, script] of Object.entries(scripts)) {
    const text = `#!/bin/sh\nname=${name}\n${script}\n. "$RC_FOLDER/rc.subr"\nrun_rc_command "$1"\n`;
    writeFileSync(join(folder, 'rc.d', name), text, { mode: 0o755 });
  }
  const enabled = Object.keys(scripts).map((name) => `${name}_enable="YES"\n`);
  writeFileSync(join(folder, 'rc.conf'), enabled.join(''));
  return folder;
}

export const freeBsd: Kind = {
  name: 'FreeBSD, as a fixture',
  providerName: 'rc(8)',
  afterDeath: 'stopped',
  failure: { code: 1, stdout: 'tried\n', stderr: 'failed\n' },
  tellsMainPid: true,
  marksFailed: true,
  foreignBytes: 'talking',
  async open() {
    const folder = freeBsdFolder(rcScripts);
    const namespace = await startNamespace('a FreeBSD fixture', reap, []);
    const program = join(folder, 'service');
    const processes = processesInside(namespace);
    const processTable = processTableInside(namespace);
    return {
      provider: new FreeBsdRc({ processes, processTable, program, outputLimitBytes: 65_536 }),
      says: (name, action) => namespace.run(program, name, action),
      pids: () => pidsInside(namespace),
      kill: () => killInside(namespace),
      isEnabled: async () => readFileSync(join(folder, 'rc.conf'), 'utf8').includes('good_enable="YES"'),
    };
  },
};
