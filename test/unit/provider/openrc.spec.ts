import { expect } from 'chai';
import { OpenRc } from '../../../src/provider/openrc.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { MemoryProcessTable } from '../../fakes/memory-process-table.ts';
import { type ScriptedAnswer, ScriptedProcesses } from '../../fakes/scripted-processes.ts';

function opened(script: Readonly<Record<string, ScriptedAnswer>>, processTable = new MemoryProcessTable()) {
  const processes = new ScriptedProcesses(script);
  const provider = new OpenRc({ processes, processTable, program: 'rc-service', outputLimitBytes: 65_536 });
  const run = (action: string) =>
    provider.run('nginx' as ServiceName, action as ActionName, { timeoutMs: 1_000 });
  const inspect = () => provider.inspect('nginx' as ServiceName, { timeoutMs: 1_000 });
  return { processes, run, inspect };
}

describe('OpenRC', () => {
  for (const [action, command] of [
    ['start', 'rc-service nginx start'],
    ['condrestart', 'rc-service nginx condrestart'],
    ['try-restart', 'rc-service nginx condrestart'],
    ['enable', 'rc-update add nginx default'],
    ['disable', 'rc-update del nginx default'],
  ] as const) {
    it(`is asked for ${action} with "${command}"`, async () => {
      const { processes, run } = opened({ [command]: {} });
      expect(await run(action)).to.include({ provider: 'openrc', state: 'unknown' });
      expect(processes.runs).to.deep.equal([command]);
    });
  }

  it('is asked whether there is such a service when an action fails', async () => {
    const failed = { 'rc-service nginx start': { exitCode: 1 } };
    expect((await opened({ ...failed, 'rc-service --exists nginx': {} }).run('start')).state).to.equal(
      'unknown',
    );
    const absent = { 'rc-service --exists nginx': { exitCode: 1 } };
    expect((await opened({ ...failed, ...absent }).run('start')).state).to.equal('not-found');
    const broken = { 'rc-service --exists nginx': { exitCode: 1, stderr: 'rc-service: no memory\n' } };
    expect((await opened({ ...failed, ...broken }).run('start')).state).to.equal('unknown');
  });

  describe('of a service that it says is started', () => {
    const script = { 'rc-service nginx status': { stdout: ' * status: started\n' } };
    const options = '/run/openrc/options/nginx';
    const inspected = (table: MemoryProcessTable) => opened(script, table).inspect();
    const byPidFile = () =>
      new MemoryProcessTable().write(`${options}/pidfile`, '/run/a.pid\n').write('/run/a.pid', '90\n');
    const supervised = () => byPidFile().starts(90).write(`${options}/child_pid`, '92\n');

    it('tells the main process: the child of its supervisor, or whom the pid file names', async () => {
      expect(await inspected(supervised().starts(92))).to.deep.equal({ state: 'running', mainPid: 92 });
      expect(await inspected(byPidFile().starts(90))).to.deep.equal({ state: 'running', mainPid: 90 });
    });

    it('sees that it is dead, whoever started it', async () => {
      expect(await inspected(supervised())).to.deep.equal({ state: 'failed', mainPid: undefined });
      expect(await inspected(byPidFile())).to.deep.equal({ state: 'failed', mainPid: undefined });
      expect((await opened(script, byPidFile()).run('status')).state).to.equal('failed');
    });

    it('believes it where nothing is known of its process', async () => {
      expect(await inspected(new MemoryProcessTable())).to.deep.equal({
        state: 'running',
        mainPid: undefined,
      });
    });
  });

  for (const [exitCode, word] of [
    [4, 'stopping'],
    [8, 'starting'],
    [16, 'inactive'],
  ] as const) {
    it(`knows no state of a service that is ${word}, though its process may live`, async () => {
      const table = new MemoryProcessTable().starts(90).write('/run/nginx.pid', '90\n');
      const script = {
        'rc-service nginx status': { exitCode, stdout: ` * status: ${word}\n` },
        'rc-service --exists nginx': {},
      };
      expect(await opened(script, table).inspect()).to.deep.equal({ state: 'unknown', mainPid: undefined });
    });
  }

  it('lists all services in its own words', async () => {
    const { run } = opened({
      'rc-status --servicelist --nocolor': {
        stdout: [
          ' web10      [  started  ]',
          ' web2       [  started 00:01:02 (0) ]',
          ' broken     [  crashed  ]',
          ' alone      [  unsupervised  ]',
          ' late       [  inactive  ]',
          ' down       [  stopped  ]',
          ' * Caching service dependencies ... [ ok ]',
          '',
        ].join('\n'),
      },
    });
    expect((await run('list')).services).to.deep.equal([
      { service: 'alone', state: 'failed' },
      { service: 'broken', state: 'failed' },
      { service: 'down', state: 'stopped' },
      { service: 'late', state: 'unknown' },
      { service: 'web2', state: 'running' },
      { service: 'web10', state: 'running' },
    ]);
  });
});
