import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import { built } from './harness/daemon.ts';
import {
  type RunningAgent,
  type RunningManager,
  runClient,
  startAgent,
  startClient,
  startManager,
} from './harness/fleet.ts';
import { ClientOnTerminal } from './harness/on-terminal.ts';
import { cleanUp } from './harness/processes.ts';
import { serviceProgram } from './harness/service-program.ts';
import { scripted } from './harness/services.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

const printedBytes = 100 * 1024 * 1024;

describe('an admin who follows the output of an action', function () {
  this.timeout(90_000);
  let manager: RunningManager;
  let gate: string;

  beforeEach(async () => {
    manager = await startManager();
    gate = join(temporaryFolder(), 'gate');
  });
  afterEach(cleanUp);

  const untilOpen = () => `until [ -e '${gate}' ] || [ ! -d '${dirname(gate)}' ]; do sleep 0.05; done`;
  const openGate = () => writeFileSync(gate, '');
  /** Agents whose service(8) does that. */
  const startAgents = async (bodies: Readonly<Record<string, string>>) => {
    const agents: RunningAgent[] = [];
    for (const [nodeName, body] of Object.entries(bodies)) {
      const program = serviceProgram(body);
      agents.push(await startAgent({ managers: [manager], nodeName, serviceProgram: program.file }));
    }
    await manager.waitForSubscribers(agents.length);
    return agents;
  };
  const follow = (...more: string[]) =>
    manager.request('any', 'restart', 'demo', '-w', '30', '--follow', ...more);

  it('sees each line while the action still runs, of both streams, behind names of one width', async () => {
    await startAgents({
      web1: `echo 'config is fine'; echo 'one warning' >&2; ${untilOpen()}; echo up; exit 0`,
      database: `echo 'closing files'; ${untilOpen()}; echo 'no space left' >&2; exit 1`,
    });
    const client = startClient(follow());
    await client.waitForLine(/^web1 {5}\| config is fine$/, 20_000);
    await client.waitForLine(/^web1 {5}\| one warning$/);
    await client.waitForLine(/^database \| closing files$/);
    expect(client.isRunning).to.equal(true);
    expect(client.stdout).to.not.include('up');
    openGate();
    expect((await client.waitForExit(20_000)).code).to.equal(2);
    const [lines, rest] = [client.stdout.trimEnd().split('\n'), client.stderr];
    expect(lines).to.have.members([
      ...['web1     | config is fine', 'web1     | one warning', 'web1     | up'],
      ...['database | closing files', 'database | no space left'],
    ]);
    expect(rest)
      .to.match(/^failed: database$/m)
      .and.match(/^ok: web1$/m);
  });

  it('has the answers as well when a format is asked for, and the lines on standard error', async () => {
    await startAgents({ web1: 'echo one; echo two >&2' });
    const { code, stderr, ...client } = await runClient(follow('--format', 'json'), { deadlineMs: 30_000 });
    expect(code, stderr).to.equal(0);
    expect(stderr).to.include('web1 | one\n').and.include('web1 | two\n');
    expect(client.answers()).to.have.lengthOf(1);
    expect(client.stdout).to.include('"stdout": "one\\ntwo\\n"');
  });

  it('can tell the nodes apart by colour on a terminal, and only there', async () => {
    await startAgents({ web1: 'echo one', web2: 'echo two' });
    const client = new ClientOnTerminal(follow());
    expect(await client.end(), client.screen).to.equal(0);
    const colourOf = (node: string) =>
      new RegExp(`\\u001b\\[(\\d+)m${node}\\u001b\\[39m \\| `).exec(client.screen)?.[1];
    expect(colourOf('web1'), client.screen).to.match(/^\d+$/);
    expect(colourOf('web2'), client.screen).to.match(/^\d+$/).and.not.equal(colourOf('web1'));
    expect((await runClient(follow(), { deadlineMs: 30_000 })).stdout).to.not.include('\u001b');
  });

  it('is told by an agent without pseudo-terminals that output may come late, and sees it all the same', async () => {
    const folder = withoutPseudoTerminals();
    const before = process.env['SERVICE_MGR_DIST'];
    process.env['SERVICE_MGR_DIST'] = folder;
    try {
      await startAgents({ web1: `[ -t 1 ] || echo 'no terminal'; echo oops >&2; ${untilOpen()}; echo up` });
    } finally {
      if (before === undefined) delete process.env['SERVICE_MGR_DIST'];
      else process.env['SERVICE_MGR_DIST'] = before;
    }
    const client = startClient(follow());
    await client.waitForLine(/^web1: no pseudo-terminals here .*node-pty.* may come late$/, 20_000);
    await client.waitForLine(/^web1 \| no terminal$/);
    await client.waitForLine(/^web1 \| oops$/);
    openGate();
    expect((await client.waitForExit(20_000)).code).to.equal(0);
    expect(client.stdout).to.include('web1 | up\n');
  });

  it('is not buried under 100 MB, and neither is the agent or the manager', async () => {
    const [agent] = await startAgents({
      web1: `[ ! -e '${gate}' ] || exit 0; : >'${gate}'
yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c ${printedBytes}; exit 0`,
    });
    const client = startClient(follow());
    expect((await client.waitForExit(60_000)).code, client.stderr.slice(-1_000)).to.equal(0);
    expect(client.stderr).to.include('web1: more output is not shown\n').and.include('ok: web1\n');
    expect(client.stdout.length).to.be.within(100_000, 10 * 1024 * 1024);
    for (const daemon of [manager, agent]) {
      expect(daemon?.program.isRunning).to.equal(true);
      expect(mostMemoryMiB(daemon?.program.pid), 'MiB of memory').to.be.below(300);
    }
    expect(await runClient(follow(), { deadlineMs: 30_000 }), 'once more').to.include({ code: 0 });
  });

  for (const end of ['stop', 'kill'] as const) {
    it(`leaves a service behind that outlives a ${end} of the agent, and may go on printing`, async () => {
      const agent = await startAgent({ managers: [manager], nodeName: 'web1' });
      await manager.waitForSubscribers(1);
      const service = scripted(`
case "$1" in
  start)
    (set -e; while :; do head -c 20000 /dev/zero; echo 'done tick' >>"$log"; sleep 0.1; done) &
    echo "$!" >"$pidfile"
    echo started ;;
esac`);
      const line = manager.request('any', 'start', service.name, '-w', '20', '--follow');
      const { code, stdout, stderr } = await runClient(line, { deadlineMs: 30_000 });
      expect(code, stderr).to.equal(0);
      expect(stdout).to.include('web1 | started\n');
      const pid = service.daemonPid();
      expect(pid).to.be.a('number');
      await agent[end]();
      const ticks = async () => (await service.log()).length;
      const before = await ticks();
      await eventually(async () => (await ticks()) > before + 8, 'it goes on', 30_000);
      expect(service.daemonPid()).to.equal(pid);
    });
  }
});

/** What was built, as if the optional package had not been there. */
function withoutPseudoTerminals(): string {
  const [from, to] = [dirname(built('service-mgr-agentd')), temporaryFolder()];
  for (const file of readdirSync(from)) {
    if (file !== 'pty.node' && statSync(join(from, file)).isFile())
      copyFileSync(join(from, file), join(to, file));
  }
  expect(existsSync(join(from, 'pty.node')), 'the package was there').to.equal(true);
  return to;
}

function mostMemoryMiB(pid: number | undefined): number {
  const [, kiB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1_024;
}
