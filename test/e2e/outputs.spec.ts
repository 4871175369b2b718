import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import {
  type AgentOptions,
  type RunningAgent,
  type RunningManager,
  runClient,
  startAgent,
  startManager,
} from './harness/fleet.ts';
import { isObject, type JsonObject } from './harness/management.ts';
import { cleanUp, onCleanUp } from './harness/processes.ts';
import { serviceProgram } from './harness/service-program.ts';
import { invalidUtf8, keepsPipeOpen, printsMuch, wellBehaved } from './harness/services.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';
import { runV1Client } from './v1/peers.ts';

const printedBytes = 10 * 1024 * 1024;
const pattern = '0123456789abcdefghijklmnopqrstuvwxyz\n';

describe('what services print and leave running', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  for (const limitKiB of [1, 64, 256]) {
    it(`10 MB of output on each stream are cut to an output_limit of ${limitKiB} KiB, and counted`, async () => {
      const { manager } = await pair({ outputLimit: `${limitKiB}KiB` });
      const service = printsMuch(printedBytes, 'both');
      const result = await resultOf(manager, 'reload', service.name);
      const kept = limitKiB * 1024;
      expect(result['returncode']).to.equal(0);
      for (const stream of ['stdout', 'stderr']) {
        const cutBytes = Number(result[`${stream}CutBytes`]);
        const text = String(result[stream]);
        expect(text.slice(0, kept) === pattern.repeat(kept).slice(0, kept), `${stream} is kept`).to.equal(
          true,
        );
        expect(text.slice(kept)).to.equal(`\n[service-mgr: ${cutBytes} more bytes were cut]\n`);
        // What is written just while the file is being cut back is not counted; that is little.
        expect(cutBytes).to.be.within(printedBytes - kept - 512 * 1024, printedBytes - kept);
      }
    });
  }

  it('10 MB that come bit by bit are counted to the end', async () => {
    const mebibyte = 'yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c 1048576';
    const program = serviceProgram(`for part in 1 2 3 4 5 6 7 8 9 10; do ${mebibyte}; sleep 0.12; done`);
    const { manager } = await pair({ outputLimit: '64KiB', serviceProgram: program.file });
    const result = await resultOf(manager, 'reload', 'printer');
    const cutBytes = printedBytes - 64 * 1024;
    expect(result['stdoutCutBytes']).to.be.within(cutBytes - 512 * 1024, cutBytes);
    expect(
      String(result['stdout']).slice(0, 64 * 1024) === pattern.repeat(64 * 1024).slice(0, 64 * 1024),
      'is kept',
    ).to.equal(true);
  });

  it('output within the limit is neither cut nor marked', async () => {
    const { manager } = await pair({ outputLimit: '64KiB' });
    const result = await resultOf(manager, 'reload', printsMuch(64 * 1024).name);
    expect(result['stdout']).to.have.lengthOf(64 * 1024);
    expect(result).not.to.have.any.keys('stdoutCutBytes', 'stderrCutBytes');
  });

  it('an action that prints without end is ended by its timeout, and its output stays within the limit', async () => {
    const { manager, agent } = await pair({
      outputLimit: '1KiB',
      actionTimeout: 2,
      serviceProgram: serviceProgram('exec yes').file,
    });
    const result = await resultOf(manager, 'reload', 'endless', 2);
    expect(result).to.include({ timedOut: true });
    expect(String(result['stdout']).length).to.be.below(2_048);
    expect((await agent.status())['counters']).to.include({ tasks: 0 });
  });

  it('invalid UTF-8 is replaced, for our client and for a v1 client', async () => {
    const { manager } = await pair();
    const service = invalidUtf8();
    const expected = 'caf\uFFFD \uFFFD\uFFFD end\n';
    expect(await resultOf(manager, 'status', service.name)).to.include({ returncode: 0, stdout: expected });
    const old = await runV1Client({
      endpoint: manager.endpoints.frontend,
      service: service.name,
      waitSeconds: 10,
      expect: 1,
    });
    expect(old.answers[0]?.result).to.include({ returncode: 0, stdout: expected });
  });

  it('a character that the limit cuts in two is dropped and not replaced', async () => {
    const program = serviceProgram(
      'i=0; while [ $i -lt 400 ]; do printf "\\342\\202\\254"; i=$((i+1)); done',
    );
    const { manager } = await pair({ outputLimit: '1KiB', serviceProgram: program.file });
    const result = await resultOf(manager, 'status', 'euros');
    expect(result['stdoutCutBytes']).to.equal(1_200 - 1_024);
    expect(result['stdout']).to.equal(`${'€'.repeat(341)}\n[service-mgr: 176 more bytes were cut]\n`);
  });

  it('a daemon that keeps the output open does not hold the action', async () => {
    const { manager } = await pair();
    const service = keepsPipeOpen();
    const result = await resultOf(manager, 'start', service.name);
    expect(result).to.include({ returncode: 0, stdout: `Starting ${service.name}\n` });
    expect(result['durationMs']).to.be.below(2_000);
    expect(service.daemonPid()).to.be.a('number');
  });

  describe('a service that was started', () => {
    for (const [how, make] of [
      ['with its output closed', wellBehaved],
      ['and keeps the output of its start open', keepsPipeOpen],
    ] as const) {
      it(`${how} survives stop, kill -9 and restart of the agent, and is still in its hands`, async () => {
        const { manager, agent } = await pair();
        const service = make();
        await resultOf(manager, 'start', service.name);
        const pid = service.daemonPid();
        expect(pid).to.be.a('number');
        for (const end of [() => agent.stop(), () => agent.kill(), () => agent.stop('SIGINT')]) {
          await end();
          expect(service.daemonPid()).to.equal(pid);
          await agent.start();
          expect(service.daemonPid()).to.equal(pid);
        }
        await manager.waitForSubscribers(1);
        const status = await resultOf(manager, 'status', service.name);
        expect(status).to.include({ returncode: 0, state: 'running' });
        expect(await resultOf(manager, 'stop', service.name)).to.include({ returncode: 0 });
        expect(service.daemonPid()).to.equal(undefined);
        expect(await service.runs()).to.deep.equal(['start', 'status', 'stop']);
      });
    }

    it('and goes on printing to the output of its start survives them too, and never notices', async () => {
      const talker = talkingDaemon();
      const { manager, agent } = await pair({ serviceProgram: talker.program });
      const start = await resultOf(manager, 'start', 'talker');
      expect(start).to.include({ returncode: 0 });
      expect(start['stdout']).to.match(/^(talking\n)*started\n/);
      for (const end of [() => agent.stop(), () => agent.kill(), () => agent.restart()]) {
        await end();
        const said = talker.said();
        await eventually(() => talker.said() > said + 5, 'the daemon goes on after the end of the agent');
        if (!agent.program.isRunning) await agent.start();
      }
      expect(talker.complaints()).to.equal('');
    });

    it('survives the manager that asked for it', async () => {
      const { manager, agent } = await pair();
      const service = wellBehaved();
      await resultOf(manager, 'start', service.name);
      const pid = service.daemonPid();
      await manager.kill();
      await agent.kill();
      expect(pid).to.be.a('number');
      expect(service.daemonPid()).to.equal(pid);
    });
  });

  it('a running action survives kill -9 of its agent and ends as if nothing had been', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'steps');
    const program = serviceProgram(`echo begun >'${file}'; sleep 1; echo loud; echo done >>'${file}'`);
    const { manager, agent } = await pair({ serviceProgram: program.file });
    const asking = runClient(manager.request('any', 'restart', 'long', '-w', '1'));
    await eventually(() => program.runs().length > 0, 'the action runs');
    await agent.kill();
    await eventually(() => readFileSync(file, 'utf8') === 'begun\ndone\n', 'the action is done');
    await asking;
  });
});

async function pair(
  options: Partial<AgentOptions> = {},
): Promise<{ manager: RunningManager; agent: RunningAgent }> {
  const manager = await startManager();
  const agent = await startAgent({ managers: [manager], ...options });
  await manager.waitForSubscribers(1);
  return { manager, agent };
}

/** The only answer to a request to all, in our client's hands. */
async function resultOf(
  manager: RunningManager,
  action: string,
  service: string,
  code?: number,
): Promise<JsonObject> {
  const run = await runClient(manager.request('any', action, service, '-w', '20'), { deadlineMs: 25_000 });
  if (code !== undefined) expect(run, run.stderr).to.include({ code });
  const [answer, ...others] = run.answers();
  expect(others, run.stdout).to.deep.equal([]);
  const result = answer?.['result'];
  if (!isObject(result)) throw new Error(`no result: ${run.stdout}${run.stderr}`);
  return result;
}

interface Talker {
  readonly program: string;
  /** How often it has printed. */
  said(): number;
  /** What printing failed with. */
  complaints(): string;
}

/** A program whose `start` leaves a daemon behind that prints to the output of `start` for ever, and counts what went well. */
function talkingDaemon(): Talker {
  const folder = temporaryFolder();
  const [said, complaints, pidFile] = ['said', 'complaints', 'pid'].map((name) => join(folder, name));
  const loop = `while echo talking 2>>'${complaints}'; do echo >>'${said}'; sleep 0.02; done`;
  const { file } = serviceProgram(
    `setsid /bin/sh -c "echo \\$\\$ >'${pidFile}'; ${loop}; echo it failed >>'${complaints}'" &\necho started`,
  );
  const read = (name = '') => {
    try {
      return readFileSync(name, 'utf8');
    } catch {
      return '';
    }
  };
  onCleanUp(() => {
    if (isAlive(Number(read(pidFile)))) process.kill(-Number(read(pidFile)), 'SIGKILL');
  });
  return { program: file, said: () => read(said).length, complaints: () => read(complaints) };
}

function isAlive(pid: number): boolean {
  return pid > 0 && existsSync(`/proc/${pid}`);
}
