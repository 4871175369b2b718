import { expect } from 'chai';
import type { ProcessExit } from '../../../src/platform/processes.ts';
import { findMainProcess } from '../../../src/provider/main-pid.ts';
import type { ServiceName } from '../../../src/wire/fields.ts';
import { MemoryProcessTable } from '../../fakes/memory-process-table.ts';

const nginx = 'nginx' as ServiceName;
const hourMs = 3_600_000;

function status(stdout = ''): ProcessExit {
  return {
    ...{ exitCode: 0, timedOut: false, aborted: false, durationMs: 1 },
    stdout: { text: stdout, cutBytes: 0 },
    stderr: { text: '', cutBytes: 0 },
  };
}

function find(table: MemoryProcessTable, said = '') {
  const { main, ...rest } = findMainProcess(table, nginx, status(said));
  return { pid: main?.pid, ...rest };
}

const script = (line: string) => `#!/bin/sh\n${line}\ncase "$1" in\nesac\n`;

describe('the main process of a service', () => {
  for (const line of [
    '# pidfile: /srv/x.pid',
    'PIDFILE=/srv/x.pid',
    "  pidfile='/srv/x.pid'",
    'pidfile="/srv/x.pid"',
    'NAME=x\nPIDFILE=/srv/$NAME.pid',
    `FOLDER=/srv\nPIDFILE="\${FOLDER}/x.pid"`,
    'PIDFILE=$(make-a-name)\nPIDFILE=/srv/x.pid',
    '# pidfile: /srv/x.pid\nPIDFILE=/srv/y.pid',
  ]) {
    it(`is in the pid file that the script declares: ${JSON.stringify(line)}`, () => {
      const table = new MemoryProcessTable().starts(12).write('/srv/x.pid', '12\n');
      table.write('/etc/init.d/nginx', script(line));
      expect(find(table)).to.deep.equal({ pid: 12, isNamedOneGone: false, declaredFile: undefined });
    });
  }

  it('is in the file that OpenRC was told of, whatever stands in the script', () => {
    const table = new MemoryProcessTable().starts(12).starts(13).write('/srv/told.pid', '12');
    table.write('/run/openrc/options/nginx/pidfile', '/srv/told.pid\n').write('/srv/x.pid', '13');
    expect(find(table.write('/etc/init.d/nginx', script('pidfile=/srv/x.pid'))).pid).to.equal(12);
  });

  it('is in the file that is named for the service, as OpenRC does it', () => {
    const table = new MemoryProcessTable().starts(12).write('/srv/nginx.pid', '12');
    for (const name of ['$RC_SVCNAME', '$SVCNAME'])
      expect(find(table.write('/etc/init.d/nginx', script(`pidfile="/srv/${name}.pid"`))).pid).to.equal(12);
  });

  for (const folder of ['/etc/rc.d', '/usr/local/etc/rc.d']) {
    it(`is looked for in the script in ${folder}`, () => {
      const table = new MemoryProcessTable().starts(12).write('/srv/x.pid', '12\nmore\n');
      expect(find(table.write(`${folder}/nginx`, script('pidfile=/srv/x.pid'))).pid).to.equal(12);
    });
  }

  for (const line of [
    'PIDFILE=$UNKNOWN',
    'PIDFILE=x.pid',
    'PIDFILE=$(mktemp)',
    'echo "PIDFILE=/srv/x.pid"',
    '',
  ]) {
    it(`is declared nowhere by ${JSON.stringify(line)}`, () => {
      const table = new MemoryProcessTable().starts(12).write('/srv/x.pid', '12\n');
      table.write('/etc/init.d/nginx', script(line));
      expect(find(table)).to.deep.equal({ pid: undefined, isNamedOneGone: false, declaredFile: undefined });
    });
  }

  for (const folder of ['/run', '/var/run']) {
    it(`is in ${folder}/NAME.pid where nothing is declared`, () => {
      const table = new MemoryProcessTable().starts(12).write(`${folder}/nginx.pid`, ' 12');
      expect(find(table).pid).to.equal(12);
    });
  }

  it('is the oldest of those that the status names', () => {
    const table = new MemoryProcessTable().starts(30, 300).starts(29, 200).starts(31, 250);
    expect(find(table, 'httpd (pid  30 29 31) is running...').pid).to.equal(29);
  });

  it('is rather the one in the declared pid file, and any rather than that in a file that is only guessed', () => {
    const table = new MemoryProcessTable().starts(1).starts(2).starts(3);
    table.write('/run/nginx.pid', '3');
    expect(find(table, 'is running (pid 2)').pid).to.equal(2);
    table.write('/etc/init.d/nginx', script('PIDFILE=/srv/x.pid')).write('/srv/x.pid', '1');
    expect(find(table, 'is running (pid 2)').pid).to.equal(1);
  });

  it('is not known when the one that is named does not live, and that is told', () => {
    const table = new MemoryProcessTable().write('/etc/init.d/nginx', script('PIDFILE=/srv/x.pid'));
    expect(find(table, 'is running (pid 2)')).to.deep.equal({
      pid: undefined,
      isNamedOneGone: true,
      declaredFile: 'missing',
    });
    expect(find(table.write('/srv/x.pid', '12'))).to.include({ pid: undefined, declaredFile: 'stale' });
    expect(find(table.write('/srv/x.pid', ''))).to.include({ pid: undefined, declaredFile: 'stale' });
  });

  it('is not a process that began after the file was written: it only got the id', () => {
    const table = new MemoryProcessTable().starts(12, 2 * hourMs).write('/run/nginx.pid', '12', hourMs);
    expect(find(table).pid).to.equal(undefined);
    expect(find(table.write('/run/nginx.pid', '12', 2 * hourMs - 1_000)).pid).to.equal(12);
  });

  for (const text of ['-1', '0', 'x', '12x', '1.5', '99999999999']) {
    it(`is not in a pid file that says ${text}`, () => {
      const table = new MemoryProcessTable().starts(12).starts(1).write('/run/nginx.pid', text);
      expect(find(table).pid).to.equal(undefined);
    });
  }
});
