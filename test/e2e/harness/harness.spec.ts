import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { freePort, freePorts } from './ports.ts';
import { cleanUp, onCleanUp, runProgram, startProgram } from './processes.ts';
import {
  failing,
  hanging,
  invalidUtf8,
  keepsPipeOpen,
  printsMuch,
  slow,
  type TestService,
  wellBehaved,
} from './services.ts';

describe('the harness of the end-to-end tests', function () {
  this.timeout(20_000);
  afterEach(cleanUp);

  describe('programs', () => {
    it('are waited for by a line of either stream, also one that came before', async () => {
      const program = shell('echo early >&2; echo "port 123"; exec sleep 60');
      expect((await program.waitForLine(/^port (\d+)$/g))[1]).to.equal('123');
      expect((await program.waitForLine(/early/))[0]).to.equal('early');
      expect(program.isRunning).to.equal(true);
    });

    it('are waited for from a given line on', async () => {
      const program = shell('echo round 1; sleep 0.2; echo round 2; exec sleep 60');
      await program.waitForLine(/^round/);
      const [later] = await program.waitForLine(/^round .*/, 5_000, program.lines.length);
      expect(later).to.equal('round 2');
    });

    it('whose line never comes are shown with their output', async () => {
      const program = shell('echo something else; exec sleep 60');
      await program.waitForLine(/something/);
      const error = await failureOf(program.waitForLine(/never/, 50));
      expect(error).to.match(/running\): waited for a line like \/never\/: not within 50 ms/);
      expect(error).to.include('something else');
    });

    it('that end before their line comes are reported at once, with their code and output', async () => {
      const error = await failureOf(shell('echo oops >&2; exit 3').waitForLine(/never/, 10_000));
      expect(error).to.match(/ended \(code 3, signal null\)\): .* the program ended first/);
      expect(error).to.include('oops');
    });

    it('that cannot be started are an error at once', () => {
      expect(() => startProgram('/nowhere/program', [])).to.throw('cannot start /nowhere/program');
    });

    it('stop with their exit code, or with the signal that ended them', async () => {
      const polite = shell('trap "exit 7" TERM; echo ready; while :; do sleep 0.01; done');
      await polite.waitForLine(/ready/);
      expect(await polite.stop()).to.deep.equal({ code: 7, signal: null });
      expect(await shell('exec sleep 60').kill()).to.deep.equal({ code: null, signal: 'SIGKILL' });
    });

    it('that do not stop are killed, and that is an error', async () => {
      const program = shell('trap "" TERM; echo ready; exec sleep 60');
      await program.waitForLine(/ready/);
      expect(await failureOf(program.stop('SIGTERM', 100))).to.include('waited for its end');
      expect(program.isRunning).to.equal(false);
    });

    it('run to their end with both outputs, whoever still holds them open', async () => {
      const ended = await runProgram('/bin/sh', ['-c', 'sleep 3 & echo out; echo err >&2; exit 4']);
      expect(ended).to.include({ code: 4, stdout: 'out\n', stderr: 'err\n' });
      expect(ended.elapsedMs).to.be.below(2_000);
    });

    it('that do not end by the deadline are killed, and that is an error', async () => {
      expect(await failureOf(runProgram('sleep', ['60'], { deadlineMs: 100 }))).to.include('its end');
    });

    it('get the environment and the folder they are given', async () => {
      const { stdout } = await runProgram('/bin/sh', ['-c', 'echo "$WORD $(pwd)"'], {
        env: { WORD: 'here' },
        cwd: '/',
      });
      expect(stdout).to.equal('here /\n');
    });

    it('are ended by cleaning up, stopped and stubborn ones too, before all else is undone', async () => {
      const program = shell('echo ready; exec sleep 60');
      await program.waitForLine(/ready/);
      program.signal('SIGSTOP');
      const order: string[] = [];
      onCleanUp(() => void order.push(`first, running: ${program.isRunning}`));
      onCleanUp(() => void order.push('second'));
      await cleanUp();
      expect(order).to.deep.equal(['second', 'first, running: false']);
    });
  });

  describe('ports', () => {
    it('are all different and can be listened at', async () => {
      const ports = [...(await freePorts(50)), await freePort()];
      expect(new Set(ports).size).to.equal(51);
      const server = createServer();
      onCleanUp(() => void server.close());
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(ports[0], '127.0.0.1', resolve);
      });
    });
  });

  describe('services, run by the real service(8)', () => {
    it('well-behaved ones start, restart and stop with the LSB codes', async () => {
      const service = wellBehaved();
      const codes: Array<number | null> = [];
      for (const action of ['status', 'start', 'start', 'status', 'restart', 'status', 'stop', 'status']) {
        codes.push((await run(service, action)).code);
      }
      expect(codes).to.deep.equal([3, 0, 0, 0, 0, 0, 0, 3]);
      expect((await run(service, 'dance')).code).to.equal(2);
      expect((await service.runs()).slice(-3)).to.deep.equal(['stop', 'status', 'dance']);
    });

    it('well-behaved ones are found dead when their daemon was killed', async () => {
      const service = wellBehaved();
      await run(service, 'start');
      const pid = service.daemonPid();
      expect(service.processes()).to.deep.equal([pid]);
      process.kill(pid ?? 0, 'SIGKILL');
      expect((await run(service, 'status')).code).to.equal(1);
      expect(service.daemonPid()).to.equal(undefined);
    });

    it('hanging ones hang, one kind also on TERM', async () => {
      for (const ignoresTerm of [false, true]) {
        const program = start(hanging({ ignoresTerm }), 'stop');
        await program.waitForLine(/^stop hangs$/);
        const end = program.stop('SIGTERM', 200).catch(() => 'still there');
        expect(await end).to.deep.equal(ignoresTerm ? 'still there' : { code: null, signal: 'SIGTERM' });
      }
    });

    it('ones that keep the pipe open end although their daemon holds it', async () => {
      const service = keepsPipeOpen();
      expect((await run(service, 'start')).code).to.equal(0);
      expect(service.daemonPid()).to.be.a('number');
      expect((await run(service, 'stop')).code).to.equal(0);
    });

    it('ones that print much print exactly that much', async () => {
      const { stdout, stderr } = await run(printsMuch(300_000, 'both'), 'status');
      expect([stdout.length, stderr.length]).to.deep.equal([300_000, 300_000]);
      expect((await run(printsMuch(1_000), 'status')).stdout).to.have.lengthOf(1_000);
    });

    it('ones that print invalid UTF-8 do so', async () => {
      expect((await run(invalidUtf8(), 'status')).stdout).to.equal('caf\uFFFD \uFFFD\uFFFD end\n');
    });

    it('slow ones take their time, and failing ones give their code', async () => {
      const service = slow(300);
      expect((await run(service, 'reload')).elapsedMs).to.be.at.least(300);
      expect(await service.log()).to.deep.equal(['reload', 'done reload']);
      expect(await run(failing(42), 'start')).to.include({
        code: 42,
        stdout: 'start tried\n',
        stderr: 'start failed\n',
      });
    });

    it('leave nothing behind when they are removed', async () => {
      const services = [wellBehaved(), hanging({ ignoresTerm: true })];
      for (const service of services) start(service, 'start');
      for (const service of services) await until(() => service.processes().length > 0);
      for (const service of services) await service.remove();
      expect(services.flatMap((service) => service.processes())).to.deep.equal([]);
      expect(services.filter(({ scriptFile }) => existsSync(scriptFile))).to.deep.equal([]);
      expect((await run(services[0], 'status')).stderr).to.include('unrecognized service');
    });
  });
});

function shell(script: string) {
  return startProgram('/bin/sh', ['-c', script], { label: 'shell' });
}

function start({ name }: TestService, action: string) {
  return startProgram('service', [name, action]);
}

function run(service: TestService | undefined, action: string) {
  return runProgram('service', [service?.name ?? '', action]);
}

async function until(isSo: () => boolean): Promise<void> {
  const endsAt = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > endsAt) throw new Error(`not so after 5 s: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error);
  }
  throw new Error('expected a failure');
}
