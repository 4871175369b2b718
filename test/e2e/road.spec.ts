import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, type, version } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Router } from 'zeromq';
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
import { isObject, type JsonObject } from './harness/management.ts';
import { freeEndpoint } from './harness/ports.ts';
import { cleanUp, onCleanUp, runProgram, startProgram } from './harness/processes.ts';
import { serviceProgram } from './harness/service-program.ts';
import { printsMuch, slow, wellBehaved } from './harness/services.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

/** What a program may need to start, on a busy machine. */
const startUpMs = 1_500;
const ended = { code: 0, signal: null };

describe('the road of a request, as an admin walks it', function () {
  this.timeout(60_000);

  describe('to two nodes', () => {
    let manager: RunningManager;

    before(async () => {
      manager = await startManager();
      await startAgent({ managers: [manager], nodeName: 'web1', roles: ['web'] });
      await startAgent({ managers: [manager], nodeName: 'web2', roles: ['db'] });
      await manager.waitForSubscribers(2);
    });
    after(cleanUp);

    it('-T any -c status -s dummy prints the answers in the 2014 shape and ends with 2', async () => {
      const run = await runClient(manager.request('any', 'status', 'dummy'));
      expect(run, run.stderr).to.include({ code: 2 });
      expect(run.stdout).to.equal(`${JSON.stringify(run.answers(), null, 4)}\n`);
      expect(nodesOf(run.answers())).to.deep.equal(['web1', 'web2']);
      for (const answer of run.answers()) {
        expect(answer).to.include({ msg: 'Executed service status request' });
        expect(answer['uuid']).to.match(/^[0-9a-f]{32}$/);
        expect(answer['result']).to.include({
          returncode: 1,
          service: 'dummy',
          stdout: '',
          stderr: 'dummy: unrecognized service\n',
          system: type(),
          version: version(),
        });
      }
    });

    it('-T Linux -c status -s cron says of a service of the host what service(8) says', async () => {
      const truth = await runProgram('service', ['cron', 'status']);
      const run = await runClient(manager.request('Linux', 'status', 'cron'));
      const { code: returncode, stdout, stderr } = truth;
      for (const answer of run.answers()) expect(answer['result']).to.include({ returncode, stdout, stderr });
      expect(nodesOf(run.answers())).to.deep.equal(['web1', 'web2']);
      expect(run.code).to.equal(returncode === 0 ? 0 : 2);
    });

    it('-w 5 -T role:web asks those in the role and nobody else', async () => {
      const service = wellBehaved();
      const run = await runClient(['-w', '5', ...manager.request('role:web', 'status', service.name)]);
      expect(nodesOf(run.answers())).to.deep.equal(['web1']);
      expect(run.answers()[0]?.['result']).to.include({ returncode: 3, state: 'stopped' });
      expect(run.code).to.equal(2);
      expect(await service.runs()).to.deep.equal(['status']);
    });

    it('returns long before its window ends when all have answered', async () => {
      const run = await runClient(manager.request('any', 'start', wellBehaved().name, '-w', '30'), {
        deadlineMs: 40_000,
      });
      expect(run, run.stderr).to.include({ code: 0 });
      expect(run.elapsedMs).to.be.below(startUpMs + 3_000);
    });

    it('returns at the end of its window when a node is still at work, and says so', async () => {
      const service = slow(4_000);
      const run = await runClient(manager.request('web1', 'reload', service.name, '-w', '1'));
      expect(run.code).to.equal(4);
      expect(run.answers()).to.deep.equal([]);
      expect(run.stderr).to.match(/1 of 1|web1/);
      expect(run.elapsedMs).to.be.within(1_000, 1_250 + startUpMs);
    });

    describe('with --format', () => {
      it('json prints the same as no format', async () => {
        const run = await runClient(manager.request('any', 'status', 'dummy', '--format', 'json'));
        expect(nodesOf(run.answers())).to.deep.equal(['web1', 'web2']);
        expect(run.stdout).to.match(/^\[\n {4}\{\n {8}"msg": /);
      });

      it('full prints one JSON object with the answers and what became of every node', async () => {
        const run = await runClient(manager.request('any', 'status', 'dummy', '--format', 'full'));
        expect(run, run.stderr).to.include({ code: 2 });
        const { request, results, outcomes, exitCode } = parsed(run.stdout);
        expect(request).to.include({ action: 'status', topic: 'any', service: 'dummy', isOver: true });
        expect(exitCode).to.equal(2);
        expect(outcomes).to.deep.equal([
          { node: 'web1', outcome: 'failed' },
          { node: 'web2', outcome: 'failed' },
        ]);
        expect(results).to.have.lengthOf(2);
        expect(results).to.have.nested.property('[0].result.state', 'not-found');
      });

      it('ndjson prints one answer a line', async () => {
        const run = await runClient(manager.request('any', 'status', 'dummy', '--format', 'ndjson'));
        const answers = linesOf(run.stdout).map(parsed);
        expect(nodesOf(answers).sort()).to.deep.equal(['web1', 'web2']);
        expect(run.code).to.equal(2);
      });

      it('table prints a line for each node under a heading', async () => {
        const service = wellBehaved();
        const run = await runClient(manager.request('any', 'status', service.name, '--format', 'table'));
        const [heading, ...rows] = linesOf(run.stdout);
        expect(heading).to.match(/^NODE\s+STATE\s+CODE\s+TIME\s+OUTPUT$/);
        expect(rows.map((row) => row.split(/\s+/).slice(0, 3))).to.deep.equal([
          ['web1', 'stopped', '3'],
          ['web2', 'stopped', '3'],
        ]);
        expect(run.code).to.equal(2);
      });

      it('groups prints nodes that say the same on one line', async () => {
        const service = wellBehaved();
        const run = await runClient(manager.request('any', 'status', service.name, '--format', 'groups'));
        expect(linesOf(run.stdout)).to.have.lengthOf(1);
        expect(run.stdout).to.match(/^web\[1-2\] stopped \(3\)/);
        expect(run.code).to.equal(2);
      });

      it('anything else is wrong usage that names the good ones', async () => {
        const run = await runClient(manager.request('any', 'status', 'dummy', '--format', 'xml'));
        expect(run).to.include({ code: 64, stdout: '' });
        expect(run.stderr).to.match(/json.*ndjson.*table.*groups/);
      });

      it('never colours what does not go to a terminal', async () => {
        for (const format of ['json', 'ndjson', 'table', 'groups']) {
          const run = await runClient(manager.request('any', 'status', 'dummy', '--format', format), {
            env: { NO_COLOR: undefined, TERM: 'xterm-256color' },
          });
          expect(run.stdout + run.stderr, format).not.to.include('\x1b');
        }
      });
    });

    it('ends with 68 and at once when no node is on the topic', async () => {
      const run = await runClient(manager.request('no-such-topic', 'status', 'cron', '-w', '30'), {
        deadlineMs: 40_000,
      });
      expect(run, run.stderr).to.include({ code: 68 });
      expect(run.stderr).to.include('no-such-topic');
      expect(run.elapsedMs).to.be.below(startUpMs + 1_000);
    });

    it('goes on to the next manager when the first endpoint is dead', async () => {
      const service = wellBehaved();
      const dead = await freeEndpoint();
      const endpoints = `${dead},${manager.endpoints.frontend}`;
      const run = await runClient([
        ...['-e', endpoints, '-w', '10', '-t', '500'],
        ...['-T', 'web1', '-c', 'start', '-s', service.name],
      ]);
      expect(run, run.stderr).to.include({ code: 0 });
      expect(nodesOf(run.answers())).to.deep.equal(['web1']);
      expect(await service.runs()).to.deep.equal(['start']);
      expect(run.elapsedMs).to.be.below(startUpMs + 3_000);
    });

    it('takes endpoint and window from its configuration file', async () => {
      const file = join(temporaryFolder(), 'service-mgr-client.conf');
      writeFileSync(file, `[Default]\nendpoint = ${manager.endpoints.frontend}\nwait_time = 20\n`);
      const run = await runClient(['-f', file, '-T', 'web2', '-c', 'status', '-s', 'dummy']);
      expect(nodesOf(run.answers()), run.stderr).to.deep.equal(['web2']);
    });

    it('makes no trouble when its reader goes away early', async () => {
      const service = printsMuch(60_000);
      for (const format of ['json', 'ndjson', 'table']) {
        const request = manager.request('any', 'status', service.name, '--format', format, '-w', '20');
        const pipeline = 'set -o pipefail; "$@" | head -1 >/dev/null';
        const run = await runProgram('/bin/bash', [
          ...['-c', pipeline, 'bash', process.execPath, built('service-mgr-client')],
          ...request,
        ]);
        expect(run, format).to.include({ code: 0, stdout: '', stderr: '' });
      }
    });
  });

  describe('to a node that goes by its host name', () => {
    afterEach(cleanUp);

    it('-T HOSTNAME -c restart -s SERVICE restarts the service there, exactly once', async () => {
      const manager = await startManager();
      await startAgentOfThisHost(manager);
      const service = wellBehaved();
      const start = await runClient(manager.request(hostname(), 'start', service.name));
      expect(start, start.stderr).to.include({ code: 0 });
      const first = service.daemonPid();
      const restart = await runClient(manager.request(hostname(), 'restart', service.name));
      expect(restart, restart.stderr).to.include({ code: 0 });
      expect(nodesOf(restart.answers())).to.deep.equal([hostname()]);
      expect(first).to.be.a('number');
      expect(service.daemonPid()).to.be.a('number').that.does.not.equal(first);
      expect(await service.runs()).to.deep.equal(['start', 'restart']);
    });
  });

  describe('to a node that fails and one that hangs', () => {
    afterEach(cleanUp);

    it('ends with 6', async () => {
      const manager = await startManager();
      const failing = serviceProgram('exit 1');
      await startAgent({ managers: [manager], nodeName: 'fails', serviceProgram: failing.file });
      await startAgent({ managers: [manager], nodeName: 'hangs' });
      await manager.waitForSubscribers(2);
      const run = await runClient(manager.request('any', 'reload', slow(60_000).name, '-w', '1.5'));
      expect(run, run.stderr).to.include({ code: 6 });
      expect(nodesOf(run.answers())).to.deep.equal(['fails']);
    });
  });

  describe('that leads nowhere', () => {
    afterEach(cleanUp);

    for (const more of [[], ['-t', '60000'], ['-r', '0'], ['-r', '100', '-t', '1']]) {
      it(`ends with 69 within the window when there is no manager: -w 1 ${more.join(' ')}`, async () => {
        const dead = await freeEndpoint();
        const run = await runClient([
          ...['-e', dead, '-w', '1', ...more],
          ...['-T', 'any', '-c', 'status', '-s', 'cron'],
        ]);
        expect(run).to.include({ code: 69, stdout: '' });
        expect(run.stderr).to.include(dead);
        expect(run.elapsedMs).to.be.below(1_250 + startUpMs);
      });
    }

    const order = ['-T', 'any', '-c', 'status', '-s', 'cron'];
    for (const [what, args] of [
      ['nothing at all', []],
      ['no topic', ['-c', 'status', '-s', 'cron']],
      ['no action', ['-T', 'any', '-s', 'cron']],
      ['no service', ['-T', 'any', '-c', 'status']],
      ['an unknown option', [...order, '--frobnicate']],
      ['too many words', [...order, 'now']],
      ['a window that is no number', [...order, '-w', 'soon']],
      ['an empty window', [...order, '-w', '0']],
      ['a negative window', [...order, '-w', '-5']],
      ['a timeout that is no number', [...order, '-t', '1s']],
      ['negative retries', [...order, '-r', '-1']],
      ['an endpoint that is none', [...order, '-e', 'localhost']],
      ['an endpoint without a port', [...order, '-e', 'tcp://localhost']],
      ['an empty topic', ['-T', '', '-c', 'status', '-s', 'cron']],
      ['a service that is a path', ['-T', 'any', '-c', 'status', '-s', '../../bin/sh']],
      ['a service that is an option', ['-T', 'any', '-c', 'status', '-s', '--status-all']],
      ['an action that is none', ['-T', 'any', '-c', 'status; reboot', '-s', 'cron']],
    ] as const) {
      it(`ends with 64 for wrong usage: ${what}`, async () => {
        const run = await runClient(['-e', await freeEndpoint(), ...args]);
        expect(run).to.include({ code: 64, stdout: '' });
        expect(run.stderr).not.to.equal('');
        expect(run.stderr).not.to.include('    at ');
      });
    }

    for (const [name, text, line, key] of [
      ['service-mgr-client', '[Default]\n\nwait_time = soon\n', 3, 'wait_time'],
      ['service-mgr-client', '[Default]\nendpiont = tcp://localhost:5500\n', 2, 'endpiont'],
      ['service-mgrd', '[Default]\nfrontend_endpoint = tcp://*\n', 2, 'frontend_endpoint'],
      ['service-mgr-agentd', '# agent\n[Default]\nmanager_endpoint = 5600\n', 3, 'manager_endpoint'],
    ] as const) {
      it(`ends with 78 for bad configuration, naming file, line and key: ${key} of ${name}`, async () => {
        const file = join(temporaryFolder(), `${name}.conf`);
        writeFileSync(file, text);
        const args = name === 'service-mgr-client' ? ['-f', file, ...order] : ['-f', file, 'start'];
        const run = await runProgram(process.execPath, [built(name), ...args]);
        expect(run).to.include({ code: 78, stdout: '' });
        expect(run.stderr).to.include(`${file}:${line}: `).and.to.include(key);
      });
    }

    for (const name of ['service-mgr-client', 'service-mgrd', 'service-mgr-agentd']) {
      it(`ends with 78 when the configuration file that was named is missing: ${name}`, async () => {
        const file = join(temporaryFolder(), 'missing.conf');
        const args = name === 'service-mgr-client' ? ['-f', file, ...order] : ['-f', file, 'start'];
        const run = await runProgram(process.execPath, [built(name), ...args]);
        expect(run).to.include({ code: 78, stdout: '' });
        expect(run.stderr).to.include(file);
      });
    }
  });

  describe('that the admin leaves with Ctrl-C', () => {
    afterEach(cleanUp);

    it('ends with 130 at once, prints what came so far and the id, and how to go on', async () => {
      const manager = await startManager();
      await startAgent({ managers: [manager], nodeName: 'quick', serviceProgram: serviceProgram().file });
      await startAgent({ managers: [manager], nodeName: 'tardy' });
      await manager.waitForSubscribers(2);
      const service = slow(3_000);
      const client = startClient(
        manager.request('any', 'restart', service.name, '-w', '30', '--format', 'ndjson'),
      );
      const { input } = await client.waitForLine(/"quick"/);
      const beganAt = performance.now();
      expect(await client.stop('SIGINT')).to.deep.equal({ code: 130, signal: null });
      expect(performance.now() - beganAt).to.be.below(1_500);
      const { uuid } = parsed(input);
      const [, advice = ''] = /service-mgr-client (requests attach .*)/.exec(client.stderr) ?? [];
      expect(advice, client.stderr).to.include(String(uuid));
      const attached = await runClient(advice.split(' '));
      expect(attached, attached.stderr).to.include({ code: 0 });
      expect(nodesOf(attached.answers())).to.deep.equal(['quick', 'tardy']);
      expect(await service.log()).to.deep.equal(['restart', 'done restart']);
    });

    it('prints the answers so far also as one JSON array', async () => {
      const manager = await startManager();
      await startAgent({ managers: [manager], nodeName: 'quick', serviceProgram: serviceProgram().file });
      const tardy = await startAgent({ managers: [manager], nodeName: 'tardy' });
      await manager.waitForSubscribers(2);
      const service = slow(30_000);
      const client = startClient(manager.request('any', 'restart', service.name, '-w', '30'));
      const { id } = await manager.waitForEvent('request.opened');
      await eventually(async () => (await service.runs()).length > 0, `${tardy.label} is at work`);
      await eventually(async () => counter(await manager.status(), 'results') === 1, 'quick has answered');
      // That the client has it, only the client knows. A whole further run takes longer than the rest of its way.
      await runClient(manager.request('quick', 'status', service.name, '-w', '20'));
      expect(await client.stop('SIGINT')).to.include({ code: 130 });
      expect(nodesOf(JSON.parse(client.stdout))).to.deep.equal(['quick']);
      expect(client.stderr).to.include(String(id));
    });

    it('ends with 130 at once also while it waits for a manager', async () => {
      const silent = await silentManager();
      const client = startClient([
        ...['-e', silent.frontend, '-w', '60', '-t', '60000'],
        ...['-T', 'any', '-c', 'status', '-s', 'cron'],
      ]);
      await silent.asked;
      const beganAt = performance.now();
      expect(await client.stop('SIGINT')).to.deep.equal({ code: 130, signal: null });
      expect(performance.now() - beganAt).to.be.below(1_500);
      expect(client.stdout).to.equal('');
    });
  });

  describe('and the daemons on it', () => {
    afterEach(cleanUp);

    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      it(`end with 0 on ${signal}`, async () => {
        const { manager, agent } = await pair();
        expect(await agent.stop(signal)).to.deep.equal(ended);
        expect(await manager.stop(signal)).to.deep.equal(ended);
      });

      it(`finish a running action before they end on ${signal}, and its result arrives`, async () => {
        const { manager, agent } = await pair();
        const service = slow(1_500);
        const client = startClient(manager.request('any', 'restart', service.name, '-w', '20'));
        await eventually(async () => (await service.runs()).length > 0, 'the action runs');
        expect(await agent.stop(signal)).to.deep.equal(ended);
        expect(await service.log()).to.deep.equal(['restart', 'done restart']);
        expect(await client.waitForExit()).to.include({ code: 0 });
        expect(client.stdout).to.include('restart done');
      });
    }

    it('report an action that takes too long to wait for within 10 s, and leave it alone', async () => {
      const { manager, agent } = await pair();
      const service = slow(60_000);
      const client = startClient(manager.request('any', 'restart', service.name, '-w', '40'));
      await eventually(async () => (await service.runs()).length > 0, 'the action runs');
      const beganAt = performance.now();
      expect(await agent.stop('SIGTERM', 12_000)).to.deep.equal(ended);
      expect(performance.now() - beganAt).to.be.below(10_000);
      expect(await client.waitForExit(3_000)).to.include({ code: 2 });
      const [answer] = JSON.parse(client.stdout);
      expect(answer).to.include({ success: -1, code: 'INTERRUPTED', node: agent.nodeName });
      expect(service.processes()).not.to.deep.equal([]);
    });

    it('don’t cut short what runs on the nodes when the manager stops', async () => {
      const { manager } = await pair();
      const service = slow(1_000);
      startClient(manager.request('any', 'restart', service.name, '-w', '5'));
      await eventually(async () => (await service.runs()).length > 0, 'the action runs');
      expect(await manager.stop()).to.deep.equal(ended);
      await eventually(async () => (await service.log()).includes('done restart'), 'the action is done');
    });

    it('say what they are at their management endpoints, as JSON', async () => {
      const { manager, agent } = await pair();
      const ofManager = await runDaemon('service-mgrd', '-e', manager.mgmtEndpoint, 'status');
      expect(ofManager, ofManager.stderr).to.include({ code: 0, stderr: '' });
      expect(parsed(ofManager.stdout)).to.include({ success: 0 });
      expect(parsed(ofManager.stdout)['result']).to.include({
        status: 'running',
        frontend_endpoint: manager.endpoints.frontend,
        backend_endpoint: manager.endpoints.backend,
        sink_endpoint: manager.endpoints.sink,
        mgmt_endpoint: manager.endpoints.mgmt,
        result_publisher_port: Number(manager.endpoints.publisher.split(':').at(-1)),
      });
      const ofAgent = await runDaemon('service-mgr-agentd', '-e', agent.mgmtEndpoint, 'status');
      expect(ofAgent, ofAgent.stderr).to.include({ code: 0, stderr: '' });
      expect(parsed(ofAgent.stdout)['result']).to.include({
        status: 'running',
        manager_endpoint: manager.endpoints.backend,
        sink_endpoint: manager.endpoints.sink,
        mgmt_endpoint: agent.mgmtEndpoint,
      });
    });

    it('stop when they are told to at their management endpoints', async () => {
      const { manager, agent } = await pair();
      for (const [name, daemon] of [
        ['service-mgr-agentd', agent],
        ['service-mgrd', manager],
      ] as const) {
        const stop = await runDaemon(name, '-e', daemon.mgmtEndpoint, 'stop');
        expect(stop, stop.stderr).to.include({ code: 0 });
        expect(await daemon.program.waitForExit()).to.deep.equal(ended);
      }
    });

    it('are said not to be there when nobody answers at the management endpoint', async () => {
      const dead = await freeEndpoint();
      const [status, stop] = await Promise.all([
        runDaemon('service-mgrd', '-e', dead, 'status'),
        runDaemon('service-mgr-agentd', '-e', dead, 'stop'),
      ]);
      for (const run of [status, stop]) {
        expect(run).to.include({ code: 69, stdout: '' });
        expect(run.stderr).to.include(dead);
      }
    });

    it('warn loudly at every start that nothing keeps strangers out', async () => {
      const { manager, agent } = await pair();
      for (const daemon of [manager, agent]) {
        const warning = await daemon.waitForEvent('security.none');
        expect(warning).to.include({ level: 'warn' });
        expect(warning['warning']).to.include('no access control: whoever reaches');
      }
    });

    it('write their log as JSON lines to the file of -o', async () => {
      const { manager, agent } = await pair();
      for (const [name, daemon, event] of [
        ['service-mgrd', manager, 'manager.started'],
        ['service-mgr-agentd', agent, 'agent.started'],
      ] as const) {
        await daemon.stop();
        const file = join(temporaryFolder(), 'log', `${name}.log`);
        const line = [built(name), '-o', file, '-f', daemon.configFile, 'start'];
        const program = startProgram(process.execPath, line, { label: name });
        await eventually(() => existsSync(file) && readFileSync(file, 'utf8').includes(event), event);
        expect(await program.stop()).to.deep.equal(ended);
        const records = linesOf(readFileSync(file, 'utf8')).map(parsed);
        expect(records.map((record) => record['event'])).to.include.members([event, 'security.none']);
        for (const record of records) {
          expect(record).to.include({ name }).and.to.include.keys('time', 'level', 'event');
        }
        expect(program.stdout + program.stderr, name).to.equal('');
      }
    });

    it('don’t start where another one is bound already, and say where', async () => {
      const { manager, agent } = await pair();
      for (const [name, daemon] of [
        ['service-mgrd', manager],
        ['service-mgr-agentd', agent],
      ] as const) {
        const file = join(temporaryFolder(), 'second.conf');
        const text = readFileSync(daemon.configFile, 'utf8');
        writeFileSync(file, text.replace(daemon.stateDir, temporaryFolder()));
        const second = await runDaemon(name, '-f', file, 'start');
        expect(second.code, name).to.equal(71);
        expect(second.stderr).to.match(/cannot bind tcp:\/\/127\.0\.0\.1:\d+/);
      }
    });

    it('don’t start on the state folder of another one, and say which', async () => {
      const { manager, agent } = await pair();
      for (const [name, daemon] of [
        ['service-mgrd', manager],
        ['service-mgr-agentd', agent],
      ] as const) {
        const second = await runDaemon(name, '-f', daemon.configFile, 'start');
        expect(second.code, name).to.equal(74);
        expect(second.stderr).to.include(daemon.stateDir);
      }
    });
  });
});

async function pair(): Promise<{ manager: RunningManager; agent: RunningAgent }> {
  const manager = await startManager();
  const agent = await startAgent({ managers: [manager] });
  await manager.waitForSubscribers(1);
  return { manager, agent };
}

/** An agent whose configuration names no node; resolves when it is connected. */
async function startAgentOfThisHost(manager: RunningManager): Promise<void> {
  const folder = temporaryFolder();
  const file = join(folder, 'service-mgr-agentd.conf');
  const settings = {
    manager_endpoint: manager.endpoints.backend,
    sink_endpoint: manager.endpoints.sink,
    mgmt_endpoint: await freeEndpoint(),
    settle_time: 0,
    state_dir: join(folder, 'state'),
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  writeFileSync(file, `[Default]\n${lines.join('')}`);
  startProgram(process.execPath, [built('service-mgr-agentd'), '-f', file, 'start'], { label: 'agentd' });
  await manager.waitForSubscribers(1);
}

/** Takes a request and says nothing; `asked` resolves when it has come. */
async function silentManager(): Promise<{ frontend: string; asked: Promise<unknown> }> {
  const socket = new Router({ linger: 0 });
  onCleanUp(() => socket.close());
  await socket.bind('tcp://127.0.0.1:*');
  return { frontend: socket.lastEndpoint ?? '', asked: socket.receive() };
}

function runDaemon(name: string, ...args: string[]) {
  return runProgram(process.execPath, [built(name), ...args], { label: name });
}

function nodesOf(answers: readonly JsonObject[]): unknown[] {
  return answers.map(({ result }) => (isObject(result) ? result['node'] : undefined));
}

function counter(status: JsonObject, name: string): unknown {
  return isObject(status['counters']) ? status['counters'][name] : undefined;
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function parsed(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error(`no JSON object: ${text}`);
  return value;
}
