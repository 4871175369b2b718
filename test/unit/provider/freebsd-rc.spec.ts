import { expect } from 'chai';
import { FreeBsdRc } from '../../../src/provider/freebsd-rc.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { MemoryProcessTable } from '../../fakes/memory-process-table.ts';
import { type ScriptedAnswer, ScriptedProcesses } from '../../fakes/scripted-processes.ts';

const refusal = (action: string) =>
  `Cannot '${action}' nginx. Set nginx_enable to YES in /etc/rc.conf or use 'one${action}' instead of '${action}'.\n`;

function opened(
  script: Readonly<Record<string, ScriptedAnswer>>,
  processTable = new MemoryProcessTable().starts(8).starts(812),
) {
  const processes = new ScriptedProcesses(script);
  const provider = new FreeBsdRc({ processes, processTable, program: 'service', outputLimitBytes: 65_536 });
  const run = (action: string, timeoutMs = 1_000) =>
    provider.run('nginx' as ServiceName, action as ActionName, { timeoutMs });
  const inspect = () => provider.inspect('nginx' as ServiceName, { timeoutMs: 1_000 });
  return { processes, run, inspect };
}

describe('rc(8) of FreeBSD', () => {
  it('tells the main process', async () => {
    const { inspect } = opened({
      'service nginx onestatus': { stdout: 'nginx is running as pid 812 815.\n' },
    });
    expect(await inspect()).to.deep.equal({ state: 'running', mainPid: 812 });
  });

  it('is asked again where it refuses the status of a service that is not enabled, and says 0', async () => {
    const refused = { 'service nginx status': { exitCode: 0, stdout: refusal('status') } };
    const stopped = { 'service nginx onestatus': { exitCode: 1, stdout: 'nginx is not running.\n' } };
    const result = await opened({ ...refused, ...stopped }).run('status');
    expect(result).to.include({ exitCode: 0, state: 'stopped' });
    expect(result.stdout.text).to.equal(refusal('status'));
    const running = { 'service nginx onestatus': { stdout: 'nginx is running as pid 8.\n' } };
    expect((await opened({ ...refused, ...running }).run('status')).state).to.equal('running');
  });

  it('knows no state of what has no status', async () => {
    const stderr = "/etc/rc.d/nginx: unknown directive 'status'.\nUsage: ...\n";
    const { run } = opened({ 'service nginx status': { exitCode: 1, stderr } });
    expect((await run('status')).state).to.equal('unknown');
  });

  it('has a process that its pid file names where it has no status, also when somebody watches', async () => {
    const stdout = "/etc/rc.d/nginx: unknown directive 'onestatus'.\nUsage: ...\n";
    const script = { 'service nginx onestatus': { exitCode: 1, stdout } };
    const table = new MemoryProcessTable();
    expect((await opened(script, table).inspect()).state).to.equal('unknown');
    table.starts(77).write('/var/run/nginx.pid', '77\n');
    expect(await opened(script, table).inspect()).to.deep.equal({ state: 'running', mainPid: 77 });
  });

  it('does not run when none of the processes that its status names does', async () => {
    const stdout = 'nginx is running as pid 9 10.\n';
    const { inspect, run } = opened({
      'service nginx onestatus': { stdout },
      'service nginx status': { stdout },
    });
    expect(await inspect()).to.deep.equal({ state: 'failed', mainPid: undefined });
    expect((await run('status')).state).to.equal('failed');
  });

  it('does not take a script that speaks of another service for one that does not exist', async () => {
    const stdout = 'Starting nginx.\nother does not exist in /etc/rc.d or the local startup\n';
    const { run } = opened({ 'service nginx start': { exitCode: 1, stdout } });
    expect((await run('start')).state).to.equal('unknown');
  });

  it('lists every script with its true status', async () => {
    const { run } = opened({
      'service -l': { stdout: 'web10\nweb2\nREADME\nweb2\nold.rpmsave\ncron\nbad name\n' },
      'service web10 onestatus': { stdout: 'web10 is running as pid 8.\n' },
      'service web2 onestatus': { exitCode: 1 },
      'service cron onestatus': { exitCode: 1, stderr: "/etc/rc.d/cron: unknown directive 'onestatus'.\n" },
    });
    expect((await run('list')).services).to.deep.equal([
      { service: 'cron', state: 'unknown' },
      { service: 'web2', state: 'stopped' },
      { service: 'web10', state: 'running' },
    ]);
  });

  it('lists what it had no time to ask for, too', async () => {
    const names = Array.from({ length: 20 }, (_, at) => `web${at}`);
    const statuses = names.map((name) => [`service ${name} onestatus`, { durationMs: 300 }] as const);
    const { processes, run } = opened({
      'service -l': { stdout: names.join('\n'), durationMs: 100 },
      ...Object.fromEntries(statuses),
    });
    const { services = [] } = await run('list', 1_000);
    expect(services).to.have.lengthOf(20);
    // Each of four at a time has 900 ms.
    expect(services.filter(({ state }) => state === 'running')).to.have.lengthOf(12);
    expect(processes.runs).to.have.lengthOf(13);
  });
});
