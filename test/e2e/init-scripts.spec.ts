import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import { type Instance, installDebian, instanceOf, pidIn } from './harness/init-scripts.ts';
import { joinInstalled } from './harness/joined-host.ts';
import { type PrivateRoot, startPrivateRoot } from './harness/private-root.ts';
import { cleanUp } from './harness/processes.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));
const manager = instanceOf('service-mgrd');
const agent = instanceOf('service-mgr-agentd');

describe('the init scripts for Debian', function () {
  this.timeout(60_000);
  let host: PrivateRoot;

  before(async () => {
    host = await startPrivateRoot();
    await installDebian(host);
  });
  after(cleanUp);

  const tell = async (verb: string, { name }: Instance) => {
    const { code } = await host.run('service', name, verb);
    return code;
  };
  const told = async (verbs: readonly string[], instance: Instance) => {
    const codes: [string, number | null][] = [];
    for (const verb of verbs) codes.push([verb, await tell(verb, instance)]);
    return codes;
  };

  it('say 6, and what to do, when the agent has joined no manager', async () => {
    const { code, stdout, stderr } = await host.run('service', agent.name, 'start');
    expect(code, stderr).to.equal(6);
    expect(`${stdout}${stderr}`).to.match(/joined no manager.*service-mgr-agentd join/s);
    expect(await told(['status', 'stop'], agent)).to.deep.equal([
      ['status', 3],
      ['stop', 0],
    ]);
  });

  it('let the manager use a key that root made before there was its user', async () => {
    const { stdout } = await host.run('service-mgrd', 'keys', 'init');
    expect(stdout).to.include('fingerprint');
    expect(await told(['start'], manager)).to.deep.equal([['start', 0]]);
    expect(await host.sh('service-mgrd keys show')).to.equal(stdout);
    await tell('stop', manager);
  });

  for (const instance of [manager, agent]) {
    it(`start, show, reload and stop ${instance.name}, with the exit codes of LSB`, async () => {
      // With a manager there is somebody to take an agent's goodbye.
      if (instance === agent) {
        await tell('start', manager);
        await joinInstalled(host);
      }
      const verbs = ['status', 'stop', 'try-restart', 'reload', 'start', 'start', 'status', 'reload'];
      expect(await told(verbs, instance)).to.deep.equal([
        ...[
          ['status', 3],
          ['stop', 0],
          ['try-restart', 0],
          ['reload', 7],
        ],
        ...[
          ['start', 0],
          ['start', 0],
          ['status', 0],
          ['reload', 0],
        ],
      ]);
      expect((await host.pidsOf(instance.pattern)).length).to.equal(1);
      expect(await tell('dance', instance)).to.equal(2);
      expect(await told(['stop', 'stop', 'status'], instance)).to.deep.equal([
        ['stop', 0],
        ['stop', 0],
        ['status', 3],
      ]);
      expect((await host.pidsOf(instance.pattern)).length).to.equal(0);
    });

    it(`start ${instance.name} again after it was killed`, async () => {
      await tell('start', instance);
      const killed = await pidIn(host, instance);
      await host.sh(`kill -9 ${killed}`);
      await eventually(async () => (await host.pidsOf(instance.pattern)).length === 0, 'it is gone');
      expect(await told(['status', 'start', 'status'], instance)).to.deep.equal([
        ['status', 1],
        ['start', 0],
        ['status', 0],
      ]);
      const pids = await host.pidsOf(instance.pattern);
      expect(pids).to.deep.equal([await pidIn(host, instance)]);
      expect(pids).to.not.include(killed);
      expect(await told(['restart', 'try-restart', 'force-reload', 'stop'], instance)).to.deep.equal([
        ...[
          ['restart', 0],
          ['try-restart', 0],
          ['force-reload', 0],
          ['stop', 0],
        ],
      ]);
    });

    it(`do not take another program that has its number for ${instance.name}`, async () => {
      await tell('start', instance);
      await host.sh(`kill -9 ${await pidIn(host, instance)}`);
      await host.sh(
        `sleep 2147484 >/dev/null 2>&1 & echo $! >/run/number; cp /run/number ${instance.pidFile}`,
      );
      expect(await told(['status', 'reload', 'start', 'status', 'stop'], instance)).to.deep.equal([
        ...[
          ['status', 1],
          ['reload', 7],
          ['start', 0],
          ['status', 0],
          ['stop', 0],
        ],
      ]);
      expect((await host.pidsOf(/^sleep 2147484$/)).length).to.equal(1);
      await host.sh('kill $(pgrep -fx "sleep 2147484")');
    });

    it(`start one ${instance.name} when two start it at the same moment`, async () => {
      expect(await Promise.all([tell('start', instance), tell('start', instance)])).to.deep.equal([0, 0]);
      expect((await host.pidsOf(instance.pattern)).length).to.equal(1);
      expect(await tell('stop', instance)).to.equal(0);
    });

    it(`say 6 when the configuration of ${instance.name} is bad`, async () => {
      const file = `/etc/service-mgr/${instance.name}.conf`;
      await host.sh(`cp ${file} /run/good.conf; echo 'nonsense = 1' >>${file}`);
      expect(await told(['start', 'status'], instance)).to.deep.equal([
        ['start', 6],
        ['status', 3],
      ]);
      await host.sh(`cp /run/good.conf ${file}`);
    });
  }

  it('tell an ordinary user how it is where they can, and let none start or stop', async () => {
    const asNobody = async (verb: string) =>
      (await host.run('runuser', '-u', 'nobody', '--', '/etc/init.d/service-mgrd', verb)).code;
    await tell('stop', manager);
    expect([await asNobody('status'), await asNobody('start')]).to.deep.equal([3, 4]);
    await tell('start', manager);
    expect([await asNobody('status'), await asNobody('stop')]).to.deep.equal([0, 4]);
    await host.sh(`chmod 600 ${manager.pidFile}`);
    expect(await asNobody('status')).to.equal(4);
    expect(await tell('status', manager)).to.equal(0);
  });

  it('make the user, run the manager as that user and the agent as root, with what is set for them', async () => {
    await host.sh("printf '%s\\n' SMTEST_EXTRA=from-defaults OPEN_FILES=5000 >>/etc/default/service-mgrd");
    expect(await tell('restart', manager)).to.equal(0);
    expect(await tell('start', agent)).to.equal(0);
    const users = await host.sh('ps -o user:20= -C node');
    expect(users.trim().split(/\s+/)).to.have.members(['root', 'service-mgr']);
    const environment = await host.sh(`tr '\\0' '\\n' </proc/${await pidIn(host, manager)}/environ`);
    expect(environment).to.include('SMTEST_EXTRA=from-defaults\n');
    const limits = await host.sh(`cat /proc/${await pidIn(host, manager)}/limits`);
    expect(limits).to.match(/^Max open files +5000 +5000 /m);
    await eventually(
      async () => (await host.sh('service-mgr-client nodes')).includes('alive'),
      'the agent has found the manager',
    );
  });

  it('keep the keys to their owners, and the files of the agent out of the hands of the manager', async () => {
    const state = '/var/lib/service-mgr';
    const modes = await host.sh(
      `stat -c '%a %U %G %n' /run/service-mgr ${state} ${state}/agent /var/log/service-mgr/*`,
    );
    expect(modes.trim().split('\n')).to.deep.equal([
      '1775 root service-mgr /run/service-mgr',
      '1770 root service-mgr /var/lib/service-mgr',
      '700 root root /var/lib/service-mgr/agent',
      '640 root root /var/log/service-mgr/service-mgr-agentd.log',
      '640 service-mgr adm /var/log/service-mgr/service-mgrd.log',
    ]);
    const secrets = ['manager.key', 'audit.log', 'agent/agent.key', 'agent/audit.log'];
    const owners = await host.sh(`cd ${state} && stat -c '%a %U %n' ${secrets.join(' ')}`);
    expect(owners.trim().split('\n')).to.deep.equal([
      '600 service-mgr manager.key',
      '600 service-mgr audit.log',
      '600 root agent/agent.key',
      '600 root agent/audit.log',
    ]);
  });

  it('let logrotate move the logs away, and the daemons go on in new ones', async () => {
    for (const instance of [manager, agent]) {
      const { name, logFile } = instance;
      await host.sh(`install -m 644 ${top}conf/logrotate/${name} /etc/logrotate.d/${name}`);
      await host.sh(`logrotate --force --state /run/logrotate.state /etc/logrotate.d/${name}`);
      await eventually(
        async () => (await host.sh(`cat ${logFile}`)).includes('"event":"config.reloaded"'),
        'the new log is written',
      );
      expect(await host.sh(`cat ${logFile}.1`)).to.include('.started"');
      expect(await host.sh(`cat ${logFile}`)).to.not.include('.started"');
      const owner = instance === manager ? 'service-mgr' : 'root';
      expect(await host.sh(`stat -c '%a %U %G' ${logFile}`)).to.equal(`640 ${owner} adm\n`);
    }
    expect(await told(['stop'], manager)).to.deep.equal([['stop', 0]]);
    expect(await told(['stop'], agent)).to.deep.equal([['stop', 0]]);
  });
});
