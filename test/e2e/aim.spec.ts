import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import { built } from './harness/daemon.ts';
import { type RunningManager, runClient, startAgent, startClient, startManager } from './harness/fleet.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { failing, wellBehaved } from './harness/services.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

const names = ['web1', 'web2', 'web3', 'db1'];

describe('an admin who aims with care', function () {
  this.timeout(90_000);
  let manager: RunningManager;

  before(async () => {
    manager = await startManager();
    for (const nodeName of names)
      await startAgent({ managers: [manager], nodeName, roles: [nodeName.startsWith('web') ? 'web' : 'db'] });
    await manager.waitForSubscribers(names.length);
  });
  after(cleanUp);

  /** Runs a request that is not confirmed beforehand. */
  const run = (target: readonly string[], action: string, service: string, ...more: string[]) =>
    runClient(
      ['-e', manager.endpoints.frontend, ...target, '-c', action, '-s', service, '-w', '20', ...more],
      {
        deadlineMs: 60_000,
      },
    );
  /** The nodes that a dry run would reach. */
  const reached = async (...target: string[]) => {
    const { stdout } = await run(target, 'restart', 'dummy', '--dry-run', '--format', 'json');
    return JSON.parse(stdout).nodes.join(' ');
  };

  it('reaches whom the target means, and nobody else', async () => {
    expect(await reached('-T', 'role:web and not web3')).to.equal('web1 web2');
    expect(await reached('-T', 'web[1-2],db1', '-x', 'web1')).to.equal('db1 web2');
    expect(await reached('-T', 'web*')).to.equal('web1 web2 web3');
    const [one] = [await reached('-T', 'any', '--limit', '25%', '--seed', '7')];
    expect(names).to.include(one);
    expect(await reached('-T', 'any', '--limit', '25%', '--seed', '7')).to.equal(one);
  });

  it('takes a list of nodes from a file, and from the list that the client itself prints', async () => {
    const file = join(temporaryFolder(), 'nodes');
    writeFileSync(file, 'web[1-2] # not web3\n');
    expect(await reached('--nodes', file)).to.equal('web1 web2');
    const client = `${process.execPath} ${built('service-mgr-client')} -e ${manager.endpoints.frontend}`;
    const pipeline = `${client} nodes --format json | ${client} --nodes - -c restart -s dummy --dry-run --format json`;
    const { stdout } = await runProgram('/bin/sh', ['-c', pipeline]);
    expect(JSON.parse(stdout).nodes).to.have.members(names);
  });

  it('is shown the place of a mistake', async () => {
    const { code, stdout, stderr } = await run(['-T', 'web1 and ('], 'status', 'dummy');
    expect([code, stdout]).to.deep.equal([64, '']);
    expect(stderr).to.match(/refused \(BAD_TARGET\):\n.*\nweb1 and \(\n {10,11}\^\n$/);
  });

  it('is told of a name that does not exist, and nothing runs', async () => {
    const service = wellBehaved();
    const { code, stderr } = await run(['-T', 'web1,web99'], 'start', service.name);
    expect([code, await service.runs()]).to.deep.equal([68, []]);
    expect(stderr).to.include('web99');
  });

  it('runs exactly what was planned, and nothing when the fleet is another one', async () => {
    const service = wellBehaved();
    const planned = await run(['-T', 'role:web'], 'start', service.name, '--dry-run');
    expect(planned.stdout).to.match(/^alive \(3\): web\[1-3\]\nplan: [0-9a-f]{16}\n$/);
    const token = planned.stdout.trim().slice(-16);
    const other = await run(['-T', 'web1,web2,db1'], 'start', service.name, '--plan', token);
    expect([other.code, await service.runs()]).to.deep.equal([65, []]);
    expect(other.stderr).to.include('+db1 -web3');
    const same = await run(['-T', 'web[1-3]'], 'start', service.name, '--plan', token, '--settle', '0');
    expect(same, same.stderr).to.include({ code: 0 });
    expect(await service.runs()).to.have.lengthOf(3);
  });

  it('is stopped by an unexpected number', async () => {
    const service = wellBehaved();
    const { code } = await run(['-T', 'role:web'], 'start', service.name, '--expect', '4');
    expect([code, await service.runs()]).to.deep.equal([65, []]);
  });

  it('has to confirm what is done everywhere', async () => {
    const service = wellBehaved();
    const refused = await run(['-T', 'any'], 'start', service.name);
    expect([refused.code, await service.runs()]).to.deep.equal([64, []]);
    expect(refused.stderr).to.include(`start ${service.name} on 4 nodes is not confirmed`);
  });

  it('rolls out, and goes on after what stopped it', async () => {
    const service = failing(7);
    const rolled = await run(['-T', 'role:web'], 'start', service.name, '--batch', '1', '--max-fail', '1');
    expect(rolled.code).to.equal(2);
    expect(await service.runs()).to.have.lengthOf(2);
    expect(rolled.stderr).to.match(/^stopped: .*\nnot started: web3\ngo on with: .* --remaining --failed /m);
    const [, id = ''] = /requests resume ([0-9a-f]{32})/.exec(rolled.stderr) ?? [];
    const client = (...argv: string[]) => runClient(['-e', manager.endpoints.frontend, ...argv]);
    expect((await client('requests', 'show', id)).stdout).to.match(/^status +stopped/m);
    const resumed = await client('requests', 'resume', id, '--remaining', '-w', '20');
    expect([resumed.code, resumed.answers().length]).to.deep.equal([2, 1]);
    expect(await service.runs()).to.have.lengthOf(3);
  });

  it('attaches to a rollout that goes on without its client', async () => {
    const service = failing(0);
    const options = ['--batch', '1', '--pause', '0.5', '--async'];
    const sent = await run(['-T', 'role:web'], 'start', service.name, ...options);
    const attached = await runClient([
      ...['-e', manager.endpoints.frontend, 'requests', 'attach', sent.stdout.trim(), '--format', 'groups'],
    ]);
    expect(attached, attached.stderr).to.include({ code: 0 });
    expect(attached.stdout).to.match(/^web\[1-3\] ok/);
    expect(await service.runs()).to.have.lengthOf(3);
  });

  it('is told that the manager of a rollout is gone, and gets the rest when it is back', async () => {
    const [own, other] = [await startManager(), await startManager()];
    for (const nodeName of ['app1', 'app2', 'app3']) await startAgent({ managers: [own, other], nodeName });
    await own.waitForSubscribers(3);
    await other.waitForSubscribers(3);
    const service = failing(0);
    const endpoints = `${own.endpoints.frontend},${other.endpoints.frontend}`;
    const client = startClient([
      ...['-e', endpoints, '-T', 'app*', '-c', 'start', '-s', service.name, '--format', 'groups'],
      ...['--batch', '1', '--pause', '2', '-w', '20', '-t', '500', '-r', '1'],
    ]);
    await eventually(async () => (await service.runs()).length === 1, 'the first batch', 20_000);
    await own.kill();
    await client.waitForLine(/does not answer\. No other manager goes on/, 30_000);
    expect(await service.runs()).to.have.lengthOf(1);
    await own.start();
    const { code } = await client.waitForExit(30_000);
    expect([code, client.stdout], client.stderr).to.deep.equal([0, 'app[1-3] ok: start tried [+1 lines]\n']);
    expect(await service.runs()).to.have.lengthOf(3);
  });
});
