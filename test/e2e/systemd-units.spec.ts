import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import { built } from './harness/daemon.ts';
import { joinInstalled } from './harness/joined-host.ts';
import { type NamespacedSystemd, startSystemd } from './harness/namespaced-systemd.ts';
import { endpoint, freePorts } from './harness/ports.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));
const units = join(top, 'init.d/systemd/');
const names = ['service-mgrd', 'service-mgr-agentd'];
const watchdogSeconds = 8;

const unitText = (name: string) => readFileSync(join(units, `${name}.service`), 'utf8');

describe('the systemd units', function () {
  this.timeout(60_000);
  let systemd: NamespacedSystemd;
  let joinEndpoint: string;

  const sh = async (line: string) => {
    const { code, stdout, stderr } = await systemd.run('sh', '-c', line);
    if (code !== 0) throw new Error(`${line}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  const commandFor = (name: string) =>
    `/run/service-mgr-test/node /run/service-mgr-test/${name}.cjs -f /run/service-mgr-test/${name}.conf`;
  const ask = async (name: string, property: string) =>
    (await sh(`systemctl show --value --property ${property} ${name}`)).trim();
  const logOf = (name: string) => sh(`cat /run/service-mgr-test/${name}.log`);
  const untilLogged = (name: string, event: string) =>
    eventually(async () => (await logOf(name)).includes(`"event":"${event}"`), `${name} logs ${event}`);

  before(async () => {
    systemd = await startSystemd();
    const ports = await freePorts(7);
    const [frontend, backend, sink, mgmt, publisher, agentMgmt, joining = ''] = ports.map(endpoint);
    joinEndpoint = joining;
    // PrivateTmp and ProtectHome may hide where the tests and this Node.js lie.
    await sh(`mkdir -p /run/service-mgr-test /run/users/etc
      cp ${dirname(built('service-mgrd'))}/*.cjs ${dirname(built('service-mgrd'))}/*.node /run/service-mgr-test
      touch /run/service-mgr-test/node && mount --bind ${process.execPath} /run/service-mgr-test/node
      mount -t tmpfs -o mode=755 private /var/lib && mount -t tmpfs -o mode=755 private /var/log
      cp -p /etc/passwd /etc/group /etc/shadow /run/users/etc
      systemd-sysusers --root=/run/users ${units}service-mgr.sysusers.conf
      for file in passwd group; do mount --bind /run/users/etc/$file /etc/$file; done
      systemd-tmpfiles --create ${units}service-mgr.tmpfiles.conf`);
    const inside = join(systemd.root, 'run/service-mgr-test');
    writeFileSync(
      join(inside, 'service-mgrd.conf'),
      `[Default]
frontend_endpoint = ${frontend}
backend_endpoint = ${backend}
sink_endpoint = ${sink}
mgmt_endpoint = ${mgmt}
publisher_endpoint = ${publisher}
[security]
mode = curve
join_endpoint = ${joinEndpoint}
`,
    );
    writeFileSync(
      join(inside, 'service-mgr-agentd.conf'),
      `[Default]
mgmt_endpoint = ${agentMgmt}
node_name = web1
service_program = /run/service-mgr-test/service
[security]
mode = curve
`,
    );
    writeFileSync(
      join(inside, 'service-mgr-client.conf'),
      '[security]\nkey_dir = /run/service-mgr-test/client-keys\n',
    );
    // As an init script does it that knows nothing of systemd.
    const script = `#!/bin/sh
if [ "$2" = status ]; then
  pgrep -fx 'sleep 2147485' >/dev/null && exit 0
  exit 3
fi
env >/run/service-mgr-test/environment
sleep 2147485 >/dev/null 2>&1 &
`;
    writeFileSync(join(inside, 'service'), script, { mode: 0o755 });
    for (const name of names) {
      await sh(`mkdir /etc/systemd/system/${name}.service.d`);
      writeFileSync(
        join(systemd.root, `etc/systemd/system/${name}.service.d/test.conf`),
        `[Service]
Environment="DAEMON_OPTS=-f /run/service-mgr-test/${name}.conf"
ExecStart=
ExecStart=/run/service-mgr-test/node /run/service-mgr-test/${name}.cjs $DAEMON_OPTS start
StandardOutput=append:/run/service-mgr-test/${name}.log
StandardError=inherit
WatchdogSec=${watchdogSeconds}
`,
      );
      await systemd.install(name, unitText(name));
    }
  });
  after(cleanUp);

  it('say nothing that systemd does not understand', async () => {
    const folder = temporaryFolder();
    for (const name of names) {
      const text = unitText(name).replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true');
      writeFileSync(join(folder, `${name}.service`), text);
    }
    const files = names.map((name) => join(folder, `${name}.service`));
    const verified = await runProgram('systemd-analyze', ['verify', '--man=no', ...files]);
    expect(verified).to.include({ code: 0, stdout: '', stderr: '' });
  });

  it('leave the manager little to do harm with', async () => {
    const line = [
      'security',
      '--offline=true',
      '--threshold=18',
      '--no-pager',
      `${units}service-mgrd.service`,
    ];
    const rated = await runProgram('systemd-analyze', line);
    expect(rated.code, rated.stdout).to.equal(0);
  });

  it('let the manager open a file for each connection that it takes, as the init scripts do', () => {
    const numberIn = (file: string, pattern: RegExp) =>
      Number(pattern.exec(readFileSync(join(top, file), 'utf8'))?.[1]);
    const ofEachSocket = numberIn('conf/service-mgrd.conf', /^#max_connections = (\d+)$/m);
    const inScript = /^OPEN_FILES=(\d+)$/m;
    const limits = [
      numberIn('init.d/systemd/service-mgrd.service', /^LimitNOFILE=(\d+)$/m),
      ...['Debian', 'CentOS'].map((system) => numberIn(`init.d/${system}/service-mgrd`, inScript)),
    ];
    // Frontend, backend, sink and publisher; half as much again for handshakes under way.
    for (const limit of limits) expect(limit).to.be.above(1.5 * 4 * ofEachSocket);
  });

  it('do not start again and again an agent that has joined no manager', async () => {
    const name = 'service-mgr-agentd';
    expect((await systemd.run('systemctl', 'start', name)).code).to.equal(1);
    expect(await ask(name, 'ExecMainStatus')).to.equal('78');
    expect(await ask(name, 'ActiveState')).to.equal('failed');
    expect(await logOf(name)).to.match(/joined no manager.*service-mgr-agentd join/);
  });

  it('are up when the daemons say so, with the manager as its own user', async () => {
    await sh('systemctl start service-mgrd');
    await joinInstalled({ sh }, { commandFor, joinEndpoint });
    for (const name of names) {
      await sh(`systemctl start ${name}`);
      expect(await logOf(name)).to.include('.started"');
      expect(await ask(name, 'ActiveState')).to.equal('active');
      await eventually(async () => (await ask(name, 'StatusText')) !== '', 'it says how it is');
    }
    expect(await ask('service-mgrd', 'StatusText')).to.match(/^\d agents, 0 open requests$/);
    const user = await sh(`ps -o user:20= -p ${await ask('service-mgrd', 'MainPID')}`);
    expect(user.trim()).to.equal('service-mgr');
  });

  it('leave the secret keys to those whose they are', async () => {
    const state = '/var/lib/service-mgr';
    const modes = await sh(
      `stat -c '%a %U %G %n' ${state} ${state}/manager.key ${state}/agent ${state}/agent/agent.key`,
    );
    expect(modes.trim().split('\n')).to.deep.equal([
      '1770 root service-mgr /var/lib/service-mgr',
      '600 service-mgr service-mgr /var/lib/service-mgr/manager.key',
      '700 root root /var/lib/service-mgr/agent',
      '600 root root /var/lib/service-mgr/agent/agent.key',
    ]);
  });

  it('fail to start, with the exit code of the daemon, where the configuration is bad', async () => {
    await sh('cp /run/service-mgr-test/service-mgrd.conf /run/good.conf && systemctl stop service-mgrd');
    await sh('echo nonsense >>/run/service-mgr-test/service-mgrd.conf');
    expect((await systemd.run('systemctl', 'start', 'service-mgrd')).code).to.equal(1);
    expect(await ask('service-mgrd', 'ExecMainStatus')).to.equal('78');
    expect(await ask('service-mgrd', 'ActiveState')).to.equal('failed');
    await sh('cp /run/good.conf /run/service-mgr-test/service-mgrd.conf && systemctl start service-mgrd');
  });

  it('reload, and are active again', async () => {
    for (const name of names) {
      await sh(`systemctl reload ${name}`);
      await untilLogged(name, 'config.reloaded');
      await eventually(async () => (await ask(name, 'ActiveState')) === 'active', 'it is active again');
    }
  });

  it('let what an agent has started outlive it, and hand it nothing of systemd', async () => {
    const client = commandFor('service-mgr-client');
    const isThere = async () => (await sh(`${client} nodes`)).includes('alive');
    await eventually(isThere, 'the agent has found its manager');
    await sh(`${client} -T web1 -c start -s database`);
    const [pid] = (await sh('pgrep -fx "sleep 2147485"')).trim().split('\n');
    expect(await sh(`cat /proc/${pid}/cgroup`)).to.include('service-mgr-agentd.service');
    expect(await sh('cat /run/service-mgr-test/environment')).to.not.match(/NOTIFY|WATCHDOG|INVOCATION/);
    await sh('systemctl restart service-mgr-agentd && systemctl stop service-mgr-agentd');
    expect(await ask('service-mgr-agentd', 'Result')).to.equal('success');
    expect((await sh('pgrep -fx "sleep 2147485"')).trim()).to.equal(pid);
  });

  it('keep a daemon that gets on, and replace one that hangs', async () => {
    const name = 'service-mgrd';
    const pid = await ask(name, 'MainPID');
    const isWatched = async () => Number(await ask(name, 'WatchdogTimestampMonotonic'));
    const earlier = await isWatched();
    await eventually(async () => (await isWatched()) > earlier, 'it reports', 2 * watchdogSeconds * 1_000);
    expect(await ask(name, 'MainPID')).to.equal(pid);
    await sh(`kill -STOP ${pid}`);
    await eventually(
      async () => (await ask(name, 'NRestarts')) === '1' && (await ask(name, 'ActiveState')) === 'active',
      'it was replaced',
      4 * watchdogSeconds * 1_000,
    );
    expect(await ask(name, 'MainPID')).to.not.equal(pid);
  });

  it('stop the manager cleanly', async () => {
    await sh('systemctl stop service-mgrd');
    expect(await ask('service-mgrd', 'Result')).to.equal('success');
    await untilLogged('service-mgrd', 'manager.stopped');
  });
});
