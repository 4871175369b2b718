import { readFileSync } from 'node:fs';
import { hostname, type, version } from 'node:os';
import { expect } from 'chai';
import { askJson, askManagement, waitForAgentCount } from '../harness/management.ts';
import { cleanUp } from '../harness/processes.ts';
import { failing, wellBehaved } from '../harness/services.ts';
import {
  runV1Client,
  runV1ClientRepeatedly,
  startV1Agent,
  startV1Agents,
  startV1Client,
  startV1Manager,
  type V1Answers,
} from './peers.ts';

// Long enough for a client to listen before the dispatch, also on a busy machine.
const dispatchDelayMs = 250;

describe('the v1 peers among themselves', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  describe('one agent', () => {
    it('answers in the 2014 form', async () => {
      const { manager, agent } = await pair();
      const { uuid, answers, duplicates } = await runV1Client({
        endpoint: manager.endpoints.frontend,
        service: 'sshd',
        waitSeconds: 5,
        expect: 1,
      });
      expect(uuid).to.match(/^[0-9a-f]{32}$/);
      expect(duplicates).to.equal(0);
      expect(answers).to.deep.equal([
        {
          msg: 'Executed service status request',
          uuid,
          result: {
            node: agent.node,
            returncode: 0,
            service: 'sshd',
            stdout: 'sshd is running\n',
            stderr: '',
            system: type(),
            version: version(),
          },
        },
      ]);
    });

    it('goes by its host name when it is given none', async () => {
      const manager = await startV1Manager();
      expect((await startV1Agent({ manager, fake: true })).node).to.equal(hostname());
    });

    it('hears any, its system, its name and its further topics, and notes what it did', async () => {
      const { manager, agent } = await pair({ topics: ['rack 7'] });
      const asked: unknown[] = [];
      for (const topic of ['any', type(), agent.node, 'rack 7']) {
        const { uuid, answers } = await ask(manager, { topic, expect: 1, waitSeconds: 5 });
        expect(answers, topic).to.have.lengthOf(1);
        asked.push([topic, uuid, 'sshd']);
      }
      expect(linesOf(agent.log)).to.deep.equal(asked);
    });

    it('does not hear other topics', async () => {
      const { manager, agent } = await pair();
      const { answers, elapsed_ms } = await ask(manager, { topic: 'web', waitSeconds: 0.6 });
      expect(answers).to.deep.equal([]);
      expect(elapsed_ms).to.be.within(600, 2_000);
      expect(linesOf(agent.log)).to.deep.equal([]);
    });

    it('named web1 also acts for web10, as in 2014', async () => {
      const { manager, agent } = await pair({ node: 'web1' });
      const { answers, uuid } = await ask(manager, { topic: 'web10', expect: 1, waitSeconds: 5 });
      expect(answers).to.have.nested.property('[0].result.node', 'web1');
      expect(linesOf(agent.log)).to.deep.equal([['web10', uuid, 'sshd']]);
    });

    for (const [listOutput, stdout] of [
      ['bare', ['sshd is running']],
      ['ended', ['sshd is running\n']],
    ] as const) {
      it(`sends its output as a list of ${listOutput} lines when told to`, async () => {
        const { manager } = await pair({ listOutput });
        const { answers } = await ask(manager, { expect: 1, waitSeconds: 5 });
        expect(answers).to.have.nested.property('[0].result.stdout').that.deep.equals(stdout);
        expect(answers).to.have.nested.property('[0].result.stderr').that.deep.equals([]);
      });
    }

    it('blocks while it acts: two requests at once are answered one after the other', async () => {
      const { manager } = await pair({ fakeDelayMs: 500 });
      const request = { expect: 1, waitSeconds: 5 };
      const beganAt = performance.now();
      const both = await Promise.all([ask(manager, request), ask(manager, request)]);
      expect(both.map(({ nodes }) => nodes)).to.deep.equal([1, 1]);
      expect(performance.now() - beganAt).to.be.at.least(dispatchDelayMs + 2 * 500);
    });

    it('tells of its own trouble when it cannot run the program', async () => {
      const manager = await startV1Manager({ dispatchDelayMs });
      await startV1Agent({ manager, node: 'web1', command: '/nowhere/service' });
      await manager.waitForSubscribers(1);
      const { answers, uuid } = await ask(manager, { expect: 1, waitSeconds: 5 });
      expect(answers).to.have.lengthOf(1);
      expect(answers[0]).to.include({ success: -1, node: 'web1', uuid });
      expect(answers[0]).to.have.property('msg').that.includes('/nowhere/service');
    });
  });

  describe('with the real service(8)', () => {
    it('start a service, see it run, stop it and see it stopped', async () => {
      const service = wellBehaved();
      const manager = await startV1Manager({ dispatchDelayMs });
      await startV1Agent({ manager });
      await manager.waitForSubscribers(1);
      const codes: unknown[] = [];
      for (const cmd of ['start', 'status', 'stop', 'status']) {
        const { answers } = await ask(manager, { cmd, service: service.name, expect: 1, waitSeconds: 5 });
        codes.push(answers[0]?.result?.returncode);
        expect(service.daemonPid() !== undefined, cmd).to.equal(codes.length < 3);
      }
      expect(codes).to.deep.equal([0, 0, 0, 3]);
      expect(await service.runs()).to.deep.equal(['start', 'status', 'stop', 'status']);
    });

    it('hand on exit code and both outputs', async () => {
      const service = failing(42);
      const manager = await startV1Manager({ dispatchDelayMs });
      await startV1Agent({ manager });
      await manager.waitForSubscribers(1);
      const { answers } = await ask(manager, { service: service.name, expect: 1, waitSeconds: 5 });
      expect(answers[0]).to.have.property('result').that.includes({
        returncode: 42,
        stdout: 'status tried\n',
        stderr: 'status failed\n',
      });
    });
  });

  describe('many agents', () => {
    it('answer once each, and none is lost when the client listens before the dispatch', async () => {
      const manager = await startV1Manager({ dispatchDelayMs });
      const { log } = await startV1Agents({ manager, count: 200 });
      expect(await manager.waitForSubscribers(200)).to.equal(200);
      const answers = await ask(manager, { waitSeconds: 2, fullWait: true, expect: 200 });
      expect(answers).to.include({ nodes: 200, duplicates: 0 });
      const nodes = nodesOf(answers).sort();
      expect([nodes[0], nodes[199]]).to.deep.equal(['sim0001', 'sim0200']);
      expect(linesOf(log)).to.have.lengthOf(200);
    });

    it('can be asked one by one', async () => {
      const manager = await startV1Manager({ dispatchDelayMs });
      await startV1Agents({ manager, count: 20, topics: ['simulated'] });
      await manager.waitForSubscribers(20);
      const one = await ask(manager, { topic: 'sim0007', waitSeconds: 0.6 });
      expect(nodesOf(one)).to.deep.equal(['sim0007']);
      const all = await ask(manager, { topic: 'simulated', waitSeconds: 5, expect: 20 });
      expect(all.nodes).to.equal(20);
    });

    it('answer after their delay, all at the same time', async () => {
      const manager = await startV1Manager();
      await startV1Agents({ manager, count: 50, delayMs: 400 });
      await manager.waitForSubscribers(50);
      const answers = await ask(manager, { waitSeconds: 5, expect: 50 });
      expect(answers).to.include({ nodes: 50, duplicates: 0 });
      expect(answers.last_ms).to.be.within(400, 2_000);
    });

    it('are counted request by request when the client repeats', async () => {
      const manager = await startV1Manager({ dispatchDelayMs });
      await startV1Agents({ manager, count: 20 });
      await manager.waitForSubscribers(20);
      const request = { endpoint: manager.endpoints.frontend, service: 'sshd', waitSeconds: 5, expect: 20 };
      const summary = await runV1ClientRepeatedly(request, 3);
      expect(summary).to.deep.include({ requests: 3, expected: 60, received: 60, lost: [0, 0, 0] });
      expect(summary.duplicates).to.equal(0);
    });

    it('that do not exist are counted as lost', async () => {
      const { manager } = await pair();
      const request = { endpoint: manager.endpoints.frontend, service: 'sshd', waitSeconds: 0.6, expect: 3 };
      const summary = await runV1ClientRepeatedly(request, 2);
      expect(summary).to.deep.include({ requests: 2, expected: 6, received: 2, lost: [2, 2] });
    });
  });

  describe('the manager', () => {
    it('says what it is and where it listens', async () => {
      const manager = await startV1Manager();
      const reply = await askManagement(manager.endpoints.mgmt, 'manager.status');
      expect(reply).to.include({ success: 0 });
      expect(reply['result']).to.include({
        status: 'running',
        frontend_endpoint: manager.endpoints.frontend,
        backend_endpoint: manager.endpoints.backend,
        sink_endpoint: manager.endpoints.sink,
        mgmt_endpoint: manager.endpoints.mgmt,
        result_publisher_port: manager.publisherPort,
      });
      expect(reply).to.have.nested.property('result.uname[0]', type());
    });

    it('refuses a request without a topic, and lives on', async () => {
      const { manager } = await pair();
      const refusal = await askJson(manager.endpoints.frontend, '{"cmd":"status","service":"sshd"}');
      expect(refusal).to.include({ success: -1 });
      expect(await ask(manager, { expect: 1, waitSeconds: 5 })).to.include({ nodes: 1 });
    });

    it('logs each subscription, each dispatch and each end of a subscription', async () => {
      const { manager, agent } = await pair();
      const { uuid } = await ask(manager, { topic: 'web1', expect: 1, waitSeconds: 5 });
      await agent.program.stop();
      await waitForAgentCount(manager.endpoints.mgmt, 'no', (agents) => agents === 0);
      const topics = ['any', type(), 'web1'];
      expect(linesOf(manager.topicLog)).to.have.deep.members([
        ...topics.map((topic) => ({ event: 'subscribe', topic })),
        { event: 'dispatch', topic: 'web1', uuid },
        ...topics.map((topic) => ({ event: 'unsubscribe', topic })),
      ]);
    });
  });

  describe('stopping', () => {
    it('on the management command ends manager and agent with code 0', async () => {
      const { manager, agent } = await pair();
      const status = await askManagement(agent.mgmtEndpoint, 'agent.status');
      expect(status['result']).to.include({
        status: 'running',
        manager_endpoint: manager.endpoints.backend,
        sink_endpoint: manager.endpoints.sink,
      });
      for (const [mgmt, command, program] of [
        [agent.mgmtEndpoint, 'agent.shutdown', agent.program],
        [manager.endpoints.mgmt, 'manager.shutdown', manager.program],
      ] as const) {
        expect(await askManagement(mgmt, 'nonsense')).to.include({ success: -1 });
        expect(await askManagement(mgmt, command)).to.include({ success: 0 });
        expect(await program.waitForExit()).to.deep.equal({ code: 0, signal: null });
      }
    });

    it('on SIGTERM ends each of the four with code 0 and says nothing', async () => {
      const { manager, agent } = await pair();
      const { program: agents } = await startV1Agents({ manager, count: 5 });
      const client = startV1Client({
        endpoint: manager.endpoints.frontend,
        service: 'sshd',
        waitSeconds: 20,
      });
      await client.waitForLine(/^ready uuid=/);
      for (const program of [client, agents, agent.program, manager.program]) {
        expect(await program.stop('SIGTERM', 2_000), program.label).to.deep.equal({ code: 0, signal: null });
        expect(program.stderr.replace(/^ready .*\n/, ''), program.label).to.equal('');
      }
    });
  });

  describe('the client', () => {
    it('gives up with code 1 when no manager replies', async () => {
      const client = startV1Client({ endpoint: 'tcp://127.0.0.1:1', service: 'sshd', timeoutMs: 300 });
      expect(await client.waitForExit(5_000)).to.include({ code: 1 });
      expect(client.stderr).to.include('no reply from tcp://127.0.0.1:1');
    });
  });
});

async function pair(options: Partial<Parameters<typeof startV1Agent>[0]> = {}) {
  const manager = await startV1Manager({ dispatchDelayMs });
  const agent = await startV1Agent({ manager, node: 'web1', fake: true, ...options });
  await manager.waitForSubscribers(1);
  return { manager, agent };
}

function ask(
  manager: Awaited<ReturnType<typeof startV1Manager>>,
  request: Partial<Parameters<typeof runV1Client>[0]>,
) {
  return runV1Client({ endpoint: manager.endpoints.frontend, service: 'sshd', ...request });
}

function nodesOf({ answers }: V1Answers): Array<string | undefined> {
  return answers.map(({ result }) => result?.node);
}

function linesOf(file: string): unknown[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}
