import { expect } from 'chai';
import type { ProcessExit, Processes, RunOptions } from '../../../src/platform/processes.ts';
import { Service8, type Service8Options } from '../../../src/provider/service8.ts';
import { message } from '../../../src/wire/codec.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { ActionName, actions, ServiceName } from '../../../src/wire/fields.ts';
import { MemoryProcessTable } from '../../fakes/memory-process-table.ts';
import { ScriptedProcesses } from '../../fakes/scripted-processes.ts';

const actionNames = message('action', 64, ActionName);
const serviceNames = message('service', 300, ServiceName);
const limits = { timeoutMs: 60_000 };

function run(
  action: string,
  options: Partial<Service8Options> & Pick<Service8Options, 'processes'>,
  service = 'nginx',
) {
  const provider = new Service8({ program: 'service', system: 'Linux', outputLimitBytes: 1_024, ...options });
  return provider.run(serviceNames.parse(service), actionNames.parse(action), limits);
}

/** Remembers how it was called. */
class Recorded implements Processes {
  readonly calls: Array<readonly [file: string, args: readonly string[], options: RunOptions]> = [];

  async run(file: string, args: readonly string[], options: RunOptions): Promise<ProcessExit> {
    this.calls.push([file, args, options]);
    const nothing = { text: '', cutBytes: 0 };
    return { exitCode: 0, timedOut: false, aborted: false, stdout: nothing, stderr: nothing, durationMs: 1 };
  }
}

describe('service(8)', () => {
  for (const action of actions.filter((each) => each !== 'list')) {
    it(`is run as "service nginx ${action}", each word an argument of its own`, async () => {
      const processes = new Recorded();
      await run(action, { processes });
      expect(processes.calls.map(([file, args]) => [file, ...args])).to.deep.equal([
        ['service', 'nginx', action],
      ]);
    });
  }

  it('is asked for all services by "list"', async () => {
    const processes = new Recorded();
    await run('list', { processes });
    expect(processes.calls.map(([file, args]) => [file, ...args])).to.deep.equal([
      ['service', '--status-all'],
    ]);
  });

  it('is read for its list: what it marks runs, does not run, or has no status', async () => {
    const processes = new ScriptedProcesses({
      'service --status-all': {
        stdout: ' [ + ]  web10\n [ - ]  web2\nsomething else\n',
        stderr: ' [ ? ]  hwclock.sh\n',
      },
    });
    expect((await run('list', { processes })).services).to.deep.equal([
      { service: 'hwclock.sh', state: 'unknown' },
      { service: 'web2', state: 'stopped' },
      { service: 'web10', state: 'running' },
    ]);
  });

  it('is not asked to enable or disable where the host has a program for it', async () => {
    const processes = new Recorded();
    await run('enable', { processes, bootLinks: 'update-rc.d' });
    await run('disable', { processes, bootLinks: 'chkconfig' });
    await run('start', { processes, bootLinks: 'chkconfig' });
    expect(processes.calls.map(([file, args]) => [file, ...args].join(' '))).to.deep.equal([
      'update-rc.d nginx enable',
      'chkconfig nginx off',
      'service nginx start',
    ]);
  });

  it('may be another program', async () => {
    const processes = new Recorded();
    await run('status', { processes, program: '/usr/local/sbin/service' });
    expect(processes.calls[0]?.[0]).to.equal('/usr/local/sbin/service');
  });

  it('gets the time limit, the output limit and the signal that it was given, and 5 s to die', async () => {
    const processes = new Recorded();
    const { signal } = new AbortController();
    const provider = new Service8({ processes, program: 'service', system: 'Linux', outputLimitBytes: 77 });
    await provider.run(serviceNames.parse('nginx'), actionNames.parse('stop'), { timeoutMs: 123, signal });
    expect(processes.calls[0]?.[2]).to.deep.equal({
      timeoutMs: 123,
      killAfterMs: 5_000,
      outputLimitBytes: 77,
      signal,
    });
  });

  it('is believed: a failed service is a result', async () => {
    const processes = new ScriptedProcesses({
      'service nginx start': { exitCode: 7, stdout: 'trying\n', stderr: 'port is taken\n', durationMs: 12 },
    });
    expect(await run('start', { processes })).to.deep.equal({
      exitCode: 7,
      timedOut: false,
      aborted: false,
      stdout: { text: 'trying\n', cutBytes: 0 },
      stderr: { text: 'port is taken\n', cutBytes: 0 },
      durationMs: 12,
      provider: 'service(8)',
      state: 'unknown',
    });
  });

  it('tells the state of a service by its status, as the system means it', async () => {
    const processes = new ScriptedProcesses({ 'service nginx status': { exitCode: 1 } });
    expect((await run('status', { processes, system: 'Linux' })).state).to.equal('failed');
    expect((await run('status', { processes, system: 'FreeBSD' })).state).to.equal('stopped');
  });

  it('tells no state after another action', async () => {
    const processes = new ScriptedProcesses({ 'service nginx stop': { exitCode: 3 } });
    expect((await run('stop', { processes })).state).to.equal('unknown');
  });

  it('that cannot be run is trouble, not a result', async () => {
    const trouble = await run('status', { processes: new ScriptedProcesses() }).catch(
      (error: unknown) => error,
    );
    expect(trouble).to.be.instanceOf(ServiceManagerError).with.property('code', 'PROVIDER_FAILED');
  });

  it('is asked for the status to see what a service is, and looks up its main process', async () => {
    const processes = new ScriptedProcesses({
      'service nginx status': { exitCode: 0, stdout: 'nginx (pid 12) is running...\n' },
      'service cron status': { exitCode: 3, stdout: 'cron is not running\n' },
    });
    const processTable = new MemoryProcessTable().starts(12).starts(13).write('/run/cron.pid', '13');
    const options = { processes, processTable, program: 'service', system: 'Linux', outputLimitBytes: 1_024 };
    const provider = new Service8(options);
    expect(await provider.inspect(serviceNames.parse('nginx'), limits)).to.deep.equal({
      state: 'running',
      mainPid: 12,
    });
    expect(await provider.inspect(serviceNames.parse('cron'), limits)).to.deep.equal({
      state: 'stopped',
      mainPid: undefined,
    });
    expect(processes.runs).to.deep.equal(['service nginx status', 'service cron status']);
  });

  it('is not believed where its words say the contrary', async () => {
    const processes = new ScriptedProcesses({ 'service nginx status': { stdout: 'nginx is stopped\n' } });
    expect(await run('status', { processes })).to.include({ exitCode: 0, state: 'stopped' });
  });
});
