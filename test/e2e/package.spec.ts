import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import { joinInstalled } from './harness/joined-host.ts';
import { home, type OverlayRoot, startOverlayRoot } from './harness/overlay-root.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));
const daemons = ['service-mgrd', 'service-mgr-agentd'];
const programs = [...daemons, 'service-mgr-client'];

/** Builds both packages into a folder, and returns its path. */
async function buildPackages(): Promise<string> {
  const folder = temporaryFolder();
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  const line = ['--import', 'tsx', join(top, 'scripts/package.ts'), folder];
  const built = await runProgram(process.execPath, line, { cwd: top, env, deadlineMs: 120_000 });
  expect(built, built.stderr).to.include({ code: 0 });
  return folder;
}

function fileIn(folder: string, ending: string): string {
  const [name, ...others] = readdirSync(folder).filter((each) => each.endsWith(ending));
  if (name === undefined || others.length > 0) throw new Error(`not one ${ending} in ${folder}`);
  return join(folder, name);
}

async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const ended = await runProgram(program, args, { deadlineMs: 120_000 });
  expect(ended, `${program}: ${ended.stdout}${ended.stderr}`).to.include({ code: 0 });
  return ended.stdout;
}

/** What stands below a heading of the README. */
function textBelow(title: string): string {
  const readme = readFileSync(join(top, 'README.md'), 'utf8');
  const [, found] = readme.split(new RegExp(`^### ${title}$`, 'm'));
  const [text = ''] = (found ?? '').split(/^#+ /m);
  return text;
}

/** Its commands, line by line. */
function commandsIn(text: string): string[] {
  const blocks = Array.from(text.matchAll(/^```sh\n([\s\S]*?)^```$/gm), ([, block = '']) => block.trim());
  return blocks.flatMap((block) => block.split('\n'));
}

/** As somebody types them who puts in what was printed last for TOKEN, and where the manager is for MANAGER. */
async function follow(root: OverlayRoot, commands: readonly string[]): Promise<void> {
  let printed = '';
  for (const command of commands)
    printed = await root.sh(command.replace('TOKEN', printed.trim()).replace('MANAGER', '127.0.0.1'));
}

/** As somebody looks who waits for an agent to come. */
function untilAlive(root: OverlayRoot): Promise<void> {
  const isThere = async () => (await root.sh('service-mgr-client nodes')).includes('alive');
  return eventually(isThere, 'the agent is there', 20_000);
}

/** The keys of the daemons and of whoever types the commands, with what they know of each other. */
function keysOn(root: OverlayRoot): Promise<string> {
  return root.sh(
    `find /var/lib/service-mgr ${home} -name '*.key' -o -name '*.manager' | sort | xargs sha256sum`,
  );
}

/** Our daemons by name, each with its user and process id. */
async function running(root: OverlayRoot): Promise<Record<string, { user: string; pid: string }>> {
  const shown = await root.sh('ps -e -o user:20=,pid=,stat=,args=');
  const rows = shown.matchAll(/^(\S+) +(\d+) +([^Z\s]\S*) +\S*node \/usr\/lib\/service-mgr\/(\S+)\.cjs /gm);
  return Object.fromEntries(Array.from(rows, ([, user, pid, , name]) => [name, { user, pid }]));
}

async function expectRunning(root: OverlayRoot): Promise<void> {
  const found = await running(root);
  expect(found).to.have.all.keys(daemons);
  expect(found['service-mgrd']?.user).to.equal('service-mgr');
  expect(found['service-mgr-agentd']?.user).to.equal('root');
}

// What dpkg, apt, insserv, man-db and the user tools keep for themselves.
const bookkeeping =
  /^\/(var\/lib\/dpkg|var\/log\/(dpkg\.log|apt)|var\/cache|var\/lib\/apt|etc\/(passwd|shadow|group|gshadow)-$|etc\/init\.d\/\.depend|etc\/rc[06]\.d\/K\d\dhwclock|tmp\/)/;

// What stays until the purge: what an administrator has set, and what the daemons have written. Keys in homes stay longer.
const kept =
  /^\/(home\/admin\/|etc\/(service-mgr|init\.d\/service-mgr|logrotate\.d\/service-mgr|rc\d\.d\/...service-mgr|runlevels|systemd\/system\/multi-user.target.wants|passwd|shadow|group|gshadow)|var\/(lib|log)\/service-mgr)/;

// Made by systemctl(1) for whichever unit is the first one to be enabled.
const wantsFolder = '/etc/systemd/system/multi-user.target.wants';

const leftovers = (root: OverlayRoot) => root.changes().filter((path) => !bookkeeping.test(path));

describe('the packages', function () {
  this.timeout(180_000);
  let folder: string;
  let again: string;

  before(async () => {
    folder = await buildPackages();
    // Not at the same time: the clock is what could make a difference.
    again = await buildPackages();
  });

  after(cleanUp);

  it('are the same, byte for byte, when they are built again', () => {
    for (const ending of ['.deb', '.rpm']) {
      const [first, second] = [folder, again].map((each) => readFileSync(fileIn(each, ending)));
      expect(second !== undefined && first?.equals(second), ending).to.equal(true);
    }
  });

  it('have nothing that lintian calls an error', async () => {
    const line = ['--allow-root', '--fail-on', 'error', '--', fileIn(folder, '.deb')];
    expect(await outputOf('lintian', line)).to.not.match(/^E:/m);
  });

  it('hold programs, addons, man pages, completion, init scripts, units and configuration', async () => {
    const shared = [
      ...programs.map((name) => `/usr/bin/${name}`),
      ...['zeromq', 'sqlite', 'pty'].map((name) => `/usr/lib/service-mgr/${name}.node`),
      ...programs.map((name) => `/etc/service-mgr/${name}.conf`),
      ...daemons.flatMap((name) => [`/etc/logrotate.d/${name}`, `/usr/share/man/man8/${name}.8.gz`]),
      ...programs.map((name) => `/usr/share/man/man5/${name}.conf.5.gz`),
      '/usr/share/man/man1/service-mgr-client.1.gz',
      ...['README.md', 'docs/PROVIDERS.md'].map((name) => `/usr/share/doc/service-mgr/${name}`),
      ...programs.map((name) => `/usr/share/bash-completion/completions/${name}`),
      ...['/var/lib/service-mgr', '/var/log/service-mgr'],
    ];
    const debian = await outputOf('dpkg-deb', ['--contents', fileIn(folder, '.deb')]);
    const inDeb = Array.from(debian.matchAll(/ \.(\/\S*?)\/?(?: -> .*)?$/gm), ([, path]) => path);
    expect(inDeb).to.include.members([
      ...shared,
      ...daemons.flatMap((name) => [`/etc/init.d/${name}`, `/lib/systemd/system/${name}.service`]),
    ]);
    const inRpm = (await outputOf('rpm', ['-qpl', fileIn(folder, '.rpm')])).trim().split('\n');
    expect(inRpm).to.include.members([
      ...shared,
      ...daemons.flatMap((name) => [`/etc/rc.d/init.d/${name}`, `/usr/lib/systemd/system/${name}.service`]),
    ]);
    const config = (await outputOf('rpm', ['-qpc', fileIn(folder, '.rpm')])).trim().split('\n');
    expect(config.filter((path) => path.endsWith('.conf'))).to.have.members(
      programs.map((name) => `/etc/service-mgr/${name}.conf`),
    );
  });

  for (const init of ['init scripts', 'systemd'] as const) {
    describe(`on a host with ${init}`, () => {
      let root: OverlayRoot;
      let keys = '';

      before(async () => {
        root = await startOverlayRoot(init === 'systemd' ? 'systemd' : 'none');
      });

      it('take five commands of the README from their installation to the first answer, and start nothing by themselves', async () => {
        const readme = textBelow('On Debian and Ubuntu');
        const [install = '', ...commands] = commandsIn(readme);
        expect(install).to.equal('apt install ./service-mgr*.deb');
        await root.sh(install, { cwd: folder });
        expect(await running(root)).to.deep.equal({});
        expect(await root.sh('ls /etc/rc2.d')).to.not.match(/S\d+service-mgr/);
        expect(commands).to.have.lengthOf(5);
        const last = commands.pop() ?? '';
        await follow(root, commands);
        await untilAlive(root);
        keys = await keysOn(root);
        for (const name of ['manager', 'agent', 'client']) expect(keys).to.include(`/${name}.key\n`);
        expect(last).to.equal('service-mgr-client -T any -c status -s cron');
        const { code, stdout } = await root.run('sh', ['-c', last]);
        const [answer] = JSON.parse(stdout);
        expect(answer.result).to.include({ service: 'cron', state: 'stopped', system: 'Linux' });
        expect(code).to.equal(2);
        await expectRunning(root);
        const [, atBoot = ''] = /`(update-rc.d .*?)`/.exec(readme) ?? [];
        await root.sh(atBoot);
        expect(await root.sh('ls /etc/rc2.d')).to.match(/S\d+service-mgrd\n/);
      });

      it('restart what runs when they are upgraded, and leave configuration and keys alone', async () => {
        await root.sh("echo '# mine' >>/etc/service-mgr/service-mgrd.conf");
        const before = await running(root);
        await root.sh(`dpkg -i ${fileIn(folder, '.deb')}`);
        await expectRunning(root);
        const after = await running(root);
        for (const name of daemons) expect(after[name]?.pid, name).to.not.equal(before[name]?.pid);
        expect(await root.sh('tail -n 1 /etc/service-mgr/service-mgrd.conf')).to.equal('# mine\n');
        expect(await keysOn(root)).to.equal(keys);
        await untilAlive(root);
        const status = ['-T', 'any', '-c', 'status', '-s', 'cron'];
        expect(await root.run('service-mgr-client', status)).to.include({ code: 2 });
      });

      it('stop the daemons and leave configuration, keys, history and logs alone when they are removed', async () => {
        await root.sh('apt-get remove -y service-mgr');
        expect(await running(root)).to.deep.equal({});
        expect(leftovers(root).filter((path) => !kept.test(path))).to.deep.equal([]);
        expect(leftovers(root)).to.include.members([
          ...['/etc/service-mgr/service-mgrd.conf', '/var/lib/service-mgr/manager.db'],
          ...['/var/lib/service-mgr/audit.log', '/var/lib/service-mgr/agent/audit.log'],
        ]);
        expect(await keysOn(root)).to.equal(keys);
      });

      it('leave nothing but the keys of people when they are purged', async () => {
        await root.sh(`echo 'deny stop sshd' >/etc/service-mgr/service-mgr-agentd.policy
mkdir -p /etc/service-mgr/operators.d
touch /etc/service-mgr/operators.d/alice.pub`);
        await root.sh('apt-get purge -y service-mgr');
        const left = leftovers(root).filter((path) => path !== wantsFolder);
        expect(left.filter((path) => !path.startsWith(`${home}/`))).to.deep.equal([]);
        expect(left).to.include(`${home}/.config/service-mgr/client.key`);
        expect((await root.run('getent', ['passwd', 'service-mgr'])).stdout).to.equal('');
      });
    });
  }

  describe('on a host', () => {
    let root: OverlayRoot;

    before(async () => {
      root = await startOverlayRoot();
    });

    it('leave the services alone that an agent has started when it is upgraded', async () => {
      await root.sh(`dpkg -i ${fileIn(folder, '.deb')}
service service-mgrd start`);
      await joinInstalled(root);
      await root.sh(`cat >/etc/init.d/sleeper <<'END'
#!/bin/sh
[ "$1" = start ] && { setsid sleep 2147483 </dev/null >/dev/null 2>&1 & echo $! >/run/sleeper.pid; }
exit 0
END
chmod 755 /etc/init.d/sleeper
service service-mgr-agentd start
until service-mgr-client nodes | grep -q alive; do :; done
service-mgr-client -T "$(hostname)" -c start -s sleeper`);
      await root.sh(`dpkg -i ${fileIn(folder, '.deb')}`);
      await root.sh('kill -0 $(cat /run/sleeper.pid)');
    });

    it('say what is missing where there is no Node.js', async () => {
      const env = { SERVICE_MGR_NODE: '/nowhere/node' };
      const ended = await root.run('service-mgr-client', ['nodes'], { env });
      expect(ended).to.include({ code: 78, stdout: '' });
      expect(ended.stderr).to.match(
        /^service-mgr-client: needs Node\.js 20\.19 or newer, and there is no "\/now/,
      );
    });
  });

  it('come and go with rpm, too', async () => {
    const root = await startOverlayRoot();
    const rpm = 'rpm --dbpath /tmp/rpmdb --nodeps';
    await root.sh(`${rpm} -i ${fileIn(folder, '.rpm')}`);
    expect(await running(root)).to.deep.equal({});
    expect(await root.sh('stat -c "%U:%G %a" /var/lib/service-mgr')).to.equal('root:service-mgr 1770\n');
    expect(await root.sh('service-mgr-client --version; service-mgrd --version')).to.match(/^(.+)\n\1\n$/);
    await root.sh('echo "# mine" >>/etc/service-mgr/service-mgr-client.conf');
    await root.sh('service-mgrd keys init');
    const keyFile = '/var/lib/service-mgr/manager.key';
    expect(await root.sh(`stat -c "%U %a" ${keyFile}`)).to.equal('service-mgr 600\n');
    await root.sh(`${rpm} -e service-mgr`);
    const users = /^\/etc\/(passwd|shadow|group|gshadow|sub[ug]id)/;
    // Folders that a Debian has not.
    const foreign = /^\/(etc\/rc\.d|etc\/rc\.d\/init\.d|usr\/share\/licenses)$/;
    const left = leftovers(root).filter((path) => !users.test(path) && !foreign.test(path));
    expect(left).to.deep.equal([
      ...['/etc/service-mgr', '/etc/service-mgr/service-mgr-client.conf.rpmsave'],
      ...['/var/lib/service-mgr', keyFile],
    ]);
  });
});
