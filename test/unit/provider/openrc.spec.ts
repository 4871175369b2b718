import { expect } from 'chai';
import { OpenRc } from '../../../src/provider/openrc.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { memoryFiles } from '../../fakes/host-view.ts';
import { type ScriptedAnswer, ScriptedProcesses } from '../../fakes/scripted-processes.ts';

function opened(
  script: Readonly<Record<string, ScriptedAnswer>>,
  contents: Readonly<Record<string, string>> = {},
) {
  const processes = new ScriptedProcesses(script);
  const files = memoryFiles(contents);
  const provider = new OpenRc({ processes, files, program: 'rc-service', outputLimitBytes: 65_536 });
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

  it('tells the child of its supervisor, or whom the pid file names, while it is there', async () => {
    const script = { 'rc-service nginx status': {} };
    const options = '/run/openrc/options/nginx';
    const supervised = {
      [`${options}/child_pid`]: '92\n',
      [`${options}/pidfile`]: '/run/a.pid',
      '/run/a.pid': '90',
    };
    const there = { '/proc/90/': '', '/proc/92/': '' };
    const mainPid = async (contents: Record<string, string>) =>
      (await opened(script, contents).inspect()).mainPid;
    expect(await mainPid({ ...supervised, ...there })).to.equal(92);
    const { [`${options}/child_pid`]: _, ...byPidFile } = supervised;
    expect(await mainPid({ ...byPidFile, ...there })).to.equal(90);
    expect(await mainPid(byPidFile)).to.equal(undefined);
    expect(await mainPid({ ...byPidFile, ...there, '/run/a.pid': 'none' })).to.equal(undefined);
    expect(await mainPid(there)).to.equal(undefined);
  });

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
