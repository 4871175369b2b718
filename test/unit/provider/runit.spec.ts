import { expect } from 'chai';
import { Runit } from '../../../src/provider/runit.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { memoryFiles } from '../../fakes/host-view.ts';
import { type ScriptedAnswer, ScriptedProcesses } from '../../fakes/scripted-processes.ts';

function opened(script: Readonly<Record<string, ScriptedAnswer>>, services: readonly string[] = ['nginx']) {
  const processes = new ScriptedProcesses(script);
  const files = memoryFiles(Object.fromEntries(services.map((name) => [`/sv/${name}/`, ''])));
  const options = { processes, files, program: 'sv', serviceFolder: '/sv', outputLimitBytes: 65_536 };
  const provider = new Runit(options);
  const run = (action: string) =>
    provider.run('nginx' as ServiceName, action as ActionName, { timeoutMs: 1_000 });
  const inspect = () => provider.inspect('nginx' as ServiceName, { timeoutMs: 1_000 });
  return { processes, run, inspect };
}

describe('runit', () => {
  const statuses: readonly [line: string, state: string][] = [
    ['run: /sv/nginx: (pid 8) 5s', 'running'],
    ['run: /sv/nginx: (pid 8) 5s, normally down; run: log: (pid 9) 5s', 'running'],
    ['run: /sv/nginx: (pid 8) 5s, paused', 'running'],
    ['run: /sv/nginx: (pid 8) 1s, want down, got TERM', 'running'],
    ['down: /sv/nginx: 5s', 'stopped'],
    ['down: /sv/nginx: 5s, normally up; run: log: (pid 9) 5s', 'stopped'],
    ['down: /sv/nginx: 5s, normally up; down: log: 1s, normally up, want up', 'stopped'],
    ['down: /sv/nginx: 1s, normally up, want up', 'failed'],
    ['finish: /sv/nginx: (pid 8) 1s, want up', 'failed'],
    ['finish: /sv/nginx: (pid 8) 1s', 'unknown'],
    ['warning: /sv/nginx: unable to open supervise/ok: file does not exist', 'unknown'],
    ['fail: /sv/nginx: unable to change to service directory: file does not exist', 'not-found'],
    ['fail: /sv/nginx: unable to change to service directory: access denied', 'unknown'],
    ['', 'unknown'],
  ];
  for (const [line, state] of statuses) {
    it(`takes a service for ${state} when sv says "${line}"`, async () => {
      const { run } = opened({ 'sv status /sv/nginx': { stdout: `${line}\n` } });
      expect((await run('status')).state).to.equal(state);
    });
  }

  it('tells the process of the service, not that of its log', async () => {
    const said = (stdout: string) => opened({ 'sv status /sv/nginx': { stdout } }).inspect();
    expect(await said('run: /sv/nginx: (pid 8) 5s; run: log: (pid 9) 5s\n')).to.deep.include({ mainPid: 8 });
    expect(await said('down: /sv/nginx: 5s; run: log: (pid 9) 5s\n')).to.deep.include({ mainPid: undefined });
  });

  it('refuses what sv does not know, because sv would do what begins with the same letter', async () => {
    for (const action of ['dance', 'configtest', 'upgrade', 'list-all']) {
      const { processes, run } = opened({});
      const error = await run(action).catch((reason: unknown) => reason);
      expect(isServiceManagerError(error) && error.code, action).to.equal('ACTION_NOT_ALLOWED');
      expect(processes.runs).to.deep.equal([]);
    }
  });

  it('restarts only what runs, under either name', async () => {
    const { processes, run } = opened({ 'sv try-restart /sv/nginx': {} });
    await run('try-restart');
    await run('condrestart');
    expect(processes.runs).to.deep.equal(['sv try-restart /sv/nginx', 'sv try-restart /sv/nginx']);
  });

  it('tells by the words of an action, too, that there is no such service', async () => {
    const stdout = 'fail: /sv/nginx: unable to change to service directory: file does not exist\n';
    const { run } = opened({ 'sv start /sv/nginx': { exitCode: 1, stdout } }, []);
    expect((await run('start')).state).to.equal('not-found');
    const timeout = { exitCode: 1, stdout: 'timeout: down: /sv/nginx: 1s, want up\n' };
    expect((await opened({ 'sv start /sv/nginx': timeout }).run('start')).state).to.equal('unknown');
  });

  it('enables and disables by the file that runsv looks for, only of a service that is there', async () => {
    const { processes, run } = opened({ 'rm -f -- /sv/nginx/down': {}, 'touch -- /sv/nginx/down': {} });
    await run('enable');
    await run('disable');
    expect(processes.runs).to.deep.equal(['rm -f -- /sv/nginx/down', 'touch -- /sv/nginx/down']);
    const stdout = 'fail: /sv/nginx: unable to change to service directory: file does not exist\n';
    const absent = opened({ 'sv status /sv/nginx': { exitCode: 1, stdout } }, []);
    expect(await absent.run('enable')).to.include({ exitCode: 1, state: 'not-found' });
  });

  it('lists its folder, and an empty one', async () => {
    const { run } = opened({
      'ls -1 -- /sv': { stdout: 'web10\nweb2\n' },
      'sv status /sv/web10 /sv/web2': {
        exitCode: 1,
        stdout: 'run: /sv/web10: (pid 8) 5s; run: log: (pid 9) 5s\ndown: /sv/web2: 1s, want up\n',
      },
    });
    expect((await run('list')).services).to.deep.equal([
      { service: 'web2', state: 'failed' },
      { service: 'web10', state: 'running' },
    ]);
    expect((await opened({ 'ls -1 -- /sv': {} }).run('list')).services).to.deep.equal([]);
  });
});
