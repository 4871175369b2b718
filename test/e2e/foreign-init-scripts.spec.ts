import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import { installCentOs, installFreeBsd, instanceOf, pidIn } from './harness/init-scripts.ts';
import { joinInstalled } from './harness/joined-host.ts';
import { type PrivateRoot, startPrivateRoot } from './harness/private-root.ts';
import { cleanUp } from './harness/processes.ts';

const manager = instanceOf('service-mgrd');
const agent = instanceOf('service-mgr-agentd');
const instances = [manager, agent];

/** How often each daemon is there after the calls of its script, one after the other; with the exit code of each. */
async function told(host: PrivateRoot, script: string, verbs: readonly string[]) {
  const codes: [string, number | null][] = [];
  for (const verb of verbs) codes.push([verb, (await host.run(script, verb)).code]);
  return codes;
}

/** Before the agent has joined a manager. */
async function expectHowToJoin(host: PrivateRoot, ...line: [script: string, verb: string]): Promise<void> {
  const { code, stdout, stderr } = await host.run(...line);
  expect(code).to.not.equal(0);
  expect(`${stdout}${stderr}`).to.match(/joined no manager.*service-mgr-agentd join/s);
  expect(await host.pidsOf(agent.pattern)).to.deep.equal([]);
}

describe('the init scripts for CentOS, on a stand-in for its function library', function () {
  this.timeout(60_000);
  let host: PrivateRoot;

  before(async () => {
    host = await startPrivateRoot();
    await installCentOs(host);
    // Before there is the user of the manager: it has to be able to use that key.
    await host.sh('service-mgrd keys init');
  });
  after(cleanUp);

  it('say what to do when the agent has joined no manager', async () => {
    await expectHowToJoin(host, `/etc/rc.d/init.d/${agent.name}`, 'start');
  });

  for (const instance of instances) {
    const { name, pattern } = instance;
    const script = `/etc/rc.d/init.d/${name}`;

    it(`start, show, reload and stop ${name}, with the exit codes of LSB`, async () => {
      // With a manager there is somebody to take an agent's goodbye.
      if (instance === agent) {
        await host.run('/etc/rc.d/init.d/service-mgrd', 'start');
        await joinInstalled(host);
      }
      const verbs = [
        'status',
        'stop',
        'condrestart',
        'reload',
        'start',
        'start',
        'status',
        'reload',
        'restart',
      ];
      expect(await told(host, script, verbs)).to.deep.equal([
        ...[
          ['status', 3],
          ['stop', 0],
          ['condrestart', 0],
          ['reload', 7],
        ],
        ...[
          ['start', 0],
          ['start', 0],
          ['status', 0],
          ['reload', 0],
          ['restart', 0],
        ],
      ]);
      expect(await host.pidsOf(pattern)).to.deep.equal([await pidIn(host, instance)]);
      await host.sh(`test -e /var/lock/subsys/${name}`);
      expect(await told(host, script, ['dance', 'stop', 'status'])).to.deep.equal([
        ...[
          ['dance', 2],
          ['stop', 0],
          ['status', 3],
        ],
      ]);
      expect(await host.pidsOf(pattern)).to.deep.equal([]);
      await host.sh(`test ! -e /var/lock/subsys/${name}`);
    });

    it(`start ${name} where the number of a killed one is that of another program`, async () => {
      await host.run(script, 'start');
      await host.sh(`kill -9 ${await pidIn(host, instance)}`);
      await eventually(async () => (await host.pidsOf(pattern)).length === 0, 'it is gone');
      await host.sh(
        `sleep 2147484 >/dev/null 2>&1 & echo $! >/run/number; cp /run/number ${instance.pidFile}`,
      );
      expect(await told(host, script, ['status', 'start', 'status'])).to.deep.equal([
        ...[
          ['status', 1],
          ['start', 0],
          ['status', 0],
        ],
      ]);
      await host.sh('kill $(pgrep -fx "sleep 2147484")');
    });

    it(`say that ${name} is dead where only its lock file is left`, async () => {
      expect(await told(host, script, ['stop'])).to.deep.equal([['stop', 0]]);
      await host.sh(`touch /var/lock/subsys/${name}`);
      expect(await told(host, script, ['status', 'stop', 'status'])).to.deep.equal([
        ...[
          ['status', 2],
          ['stop', 0],
          ['status', 3],
        ],
      ]);
    });
  }

  it('let the manager open as many files as its settings say', async () => {
    await host.sh('echo OPEN_FILES=5000 >>/etc/sysconfig/service-mgrd');
    expect(await told(host, '/etc/rc.d/init.d/service-mgrd', ['restart'])).to.deep.equal([['restart', 0]]);
    const limits = await host.sh(`cat /proc/${await pidIn(host, manager)}/limits`);
    expect(limits).to.match(/^Max open files +5000 +5000 /m);
  });

  it('have the library start the manager as its user, and the agent as root', async () => {
    const calls = (await host.sh('cat /run/functions.calls')).split('\n');
    const starts = calls.filter((call) => call.startsWith('daemon '));
    for (const call of starts.filter((line) => line.includes('bin/service-mgrd '))) {
      expect(call).to.match(/^daemon --force --user service-mgr --pidfile \S+service-mgrd.pid /);
    }
    for (const call of starts.filter((line) => line.includes('bin/service-mgr-agentd '))) {
      expect(call).to.match(/^daemon --force --pidfile \S+service-mgr-agentd.pid /);
    }
    expect(starts).to.have.length(11);
  });
});

describe('the rc.d scripts for FreeBSD, on a stand-in for rc.subr', function () {
  this.timeout(60_000);
  let host: PrivateRoot;

  before(async () => {
    host = await startPrivateRoot();
    await installFreeBsd(host);
    // Before there is the user of the manager: it has to be able to use that key.
    await host.sh('service-mgrd keys init');
  });
  after(cleanUp);

  it('say what to do when the agent has joined no manager', async () => {
    await expectHowToJoin(host, '/usr/local/etc/rc.d/service_mgr_agentd', 'onestart');
  });

  for (const instance of instances) {
    const { name, pattern } = instance;
    const rcName = name.replaceAll('-', '_');
    const script = `/usr/local/etc/rc.d/${rcName}`;
    const user = name === 'service-mgrd' ? 'service-mgr' : 'root';

    it(`start ${name} only where it is enabled`, async () => {
      const refused = await host.run(script, 'start');
      expect(refused.stdout).to.include(`Set ${rcName}_enable to YES`);
      expect(await host.pidsOf(pattern)).to.deep.equal([]);
      await host.sh(`echo '${rcName}_enable=YES ${rcName}_env=SMTEST_EXTRA=rc' >>/etc/rc.conf`);
      await host.sh(`echo '${rcName}_flags=-D ${rcName}_node=/usr/local/bin/node' >>/etc/rc.conf`);
    });

    it(`start, show, reload and stop ${name}`, async () => {
      if (instance === agent) {
        await host.run('/usr/local/etc/rc.d/service_mgrd', 'start');
        await joinInstalled(host);
      }
      const verbs = ['status', 'start', 'status', 'start', 'reload', 'restart', 'status'];
      expect(await told(host, script, verbs)).to.deep.equal([
        ...[
          ['status', 1],
          ['start', 0],
          ['status', 0],
          ['start', 1],
          ['reload', 0],
        ],
        ...[
          ['restart', 0],
          ['status', 0],
        ],
      ]);
      const pid = await pidIn(host, instance);
      expect(await host.pidsOf(pattern)).to.deep.equal([pid]);
      expect(await host.sh(`ps -o user:20= -o args= -p ${pid}`)).to.match(
        new RegExp(`^${user} .* -D start$`, 'm'),
      );
      expect(await host.sh(`tr '\\0' '\\n' </proc/${pid}/environ`)).to.include('SMTEST_EXTRA=rc\n');
      expect(await told(host, script, ['stop', 'status'])).to.deep.equal([
        ...[
          ['stop', 0],
          ['status', 1],
        ],
      ]);
      expect(await host.pidsOf(pattern)).to.deep.equal([]);
    });

    it(`start ${name} again after it was killed`, async () => {
      await host.run(script, 'start');
      await host.sh(`kill -9 ${await pidIn(host, instance)}`);
      await eventually(async () => (await host.pidsOf(pattern)).length === 0, 'it is gone');
      expect(await told(host, script, ['status', 'start', 'status', 'stop'])).to.deep.equal([
        ...[
          ['status', 1],
          ['start', 0],
          ['status', 0],
          ['stop', 0],
        ],
      ]);
    });

    it(`do not start ${name} without its configuration`, async () => {
      const configFile = `/etc/service-mgr/${name}.conf`;
      await host.sh(`mv ${configFile} /run/good.conf`);
      expect(await told(host, script, ['start', 'status'])).to.deep.equal([
        ...[
          ['start', 1],
          ['status', 1],
        ],
      ]);
      await host.sh(`mv /run/good.conf ${configFile}`);
    });
  }
});
