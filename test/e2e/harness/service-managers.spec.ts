import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../../fakes/eventually.ts';
import { type NamespacedSystemd, startSystemd } from './namespaced-systemd.ts';
import { startOpenRc } from './openrc.ts';
import { cleanUp } from './processes.ts';
import { startRunit } from './runit.ts';

const unit = '[Service]\nExecStart=/bin/sleep 2147483\n';

describe('the service managers of the harness', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('systemd starts a service of its own, and nothing of it is left behind', async () => {
    const systemd = await startSystemd();
    await systemd.install('demo', unit);
    expect(await systemd.run('systemctl', 'start', 'demo')).to.include({ code: 0 });
    expect((await systemd.run('systemctl', 'is-active', 'demo')).stdout).to.equal('active\n');
    expect(existsSync('/etc/systemd/system/demo.service')).to.equal(false);
    const pid = systemd.root.split('/')[2] ?? '';
    const cgroup = cgroupOf(pid);
    expect(cgroup).to.match(/smtest-/);
    await cleanUp();
    await isGone(pid);
    expect(cgroupNames()).to.not.include(cgroup);
  });

  it('two systemds of one host do not know each other', async () => {
    const [one, other] = await Promise.all([startSystemd(), startSystemd()]);
    await Promise.all([one.install('demo', unit), other.install('demo', unit)]);
    await one.run('systemctl', 'start', 'demo');
    expect(await stateIn(one)).to.equal('active\n');
    expect(await stateIn(other)).to.equal('inactive\n');
  });

  it('OpenRC starts a service of its own, and ends with it', async () => {
    const openrc = await startOpenRc();
    openrc.install(
      'demo',
      'command=/bin/sleep\ncommand_args=2147483\ncommand_background=yes\npidfile=/run/demo.pid\n',
    );
    expect(await openrc.run('rc-service', 'demo', 'status')).to.include({ code: 3 });
    expect(await openrc.run('rc-service', 'demo', 'start')).to.include({ code: 0 });
    expect(await openrc.run('rc-service', 'demo', 'status')).to.include({ code: 0 });
    expect(existsSync('/etc/init.d/demo')).to.equal(false);
    expect(existsSync('/run/openrc')).to.equal(false);
  });

  it('runit supervises the services it is given, and ends with them', async () => {
    const runit = await startRunit({ demo: { run: 'exec sleep 2147483' } });
    const folder = join(runit.serviceFolder, 'demo');
    expect((await runit.run('sv', 'status', folder)).stdout).to.match(/^down: /);
    expect((await runit.run('sv', 'start', folder)).stdout).to.match(/^ok: run: /);
    const pid = runit.root.split('/')[2] ?? '';
    await cleanUp();
    await isGone(pid);
  });

  it('a program outside can be the one inside, with its exit code and its arguments', async () => {
    const openrc = await startOpenRc();
    const wrapper = openrc.wrapper('rc-service');
    expect(readFileSync(wrapper, 'utf8')).to.include('nsenter');
    expect(await openrc.run('rc-service', 'no such', 'status')).to.include({
      code: 1,
      stderr: " * rc-service: service `no such' does not exist\n",
    });
  });
});

/** A zombie has no program any more. */
function isGone(pid: string): Promise<void> {
  return eventually(() => !existsSync(`/proc/${pid}/exe`), `process ${pid} has ended`);
}

async function stateIn(systemd: NamespacedSystemd): Promise<string> {
  return (await systemd.run('systemctl', 'is-active', 'demo')).stdout;
}

function cgroupOf(pid: string): string | undefined {
  return /^0::\/.*(smtest-[0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
}

/** Of the version 2 hierarchy, wherever this host has it. */
function cgroupNames(): string[] {
  return ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].filter(existsSync).flatMap((path) => readdirSync(path));
}
