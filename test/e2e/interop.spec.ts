import { type as systemName } from 'node:os';
import { expect } from 'chai';
import { type RunningManager, runClient, startAgent, startManager } from './harness/fleet.ts';
import { isObject, type JsonObject } from './harness/management.ts';
import { cleanUp } from './harness/processes.ts';
import { jsonLines, serviceProgram } from './harness/service-program.ts';
import { failing, wellBehaved } from './harness/services.ts';
import {
  runV1Client,
  startV1Agent,
  startV1Agents,
  startV1Manager,
  type V1Answers,
  type V1Manager,
} from './v1/peers.ts';

// A v1 manager dispatches before anybody listens for the answers, unless it is told to be slower.
const dispatchDelayMs = 250;
const waitSeconds = 10;
const window = ['-w', String(waitSeconds)];

describe('programs of 2014 and ours together', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  describe('a v1 client with our manager and our agent', () => {
    it('gets the answer in the 2014 shape', async () => {
      const manager = await startManager();
      await startAgent({ managers: [manager], nodeName: 'web1' });
      await manager.waitForSubscribers(1);
      const service = failing(42);
      const { uuid, answers } = await askAsV1(manager, 'any', service.name, { cmd: 'reload', expect: 1 });
      expect(uuid).to.match(/^[0-9a-f]{32}$/);
      expect(answers).to.have.lengthOf(1);
      expect(answers[0]).to.include({ uuid, msg: 'Executed service reload request' });
      expect(answers[0]?.result).to.include({
        node: 'web1',
        returncode: 42,
        service: service.name,
        stdout: 'reload tried\n',
        stderr: 'reload failed\n',
        system: systemName(),
      });
      expect(answers[0]?.result?.version).to.be.a('string');
      expect(await service.runs()).to.deep.equal(['reload']);
    });

    it('changes the state of a service', async () => {
      const manager = await startManager();
      await startAgent({ managers: [manager] });
      await manager.waitForSubscribers(1);
      const service = wellBehaved();
      for (const cmd of ['start', 'restart', 'status']) {
        const { answers } = await askAsV1(manager, 'any', service.name, { cmd, expect: 1 });
        expect(answers[0]?.result?.returncode, cmd).to.equal(0);
      }
      expect(service.daemonPid()).to.be.a('number');
      expect(await service.runs()).to.deep.equal(['start', 'restart', 'status']);
    });

    it('is told in the 2014 form when its request is refused, and why', async () => {
      const manager = await startManager();
      const refusal = await askAsV1(manager, 'any', '../../bin/sh').catch(String);
      expect(refusal).to.include('ended with code 1').and.to.include('"success": -1');
      expect(refusal).to.include('INVALID_MESSAGE').and.to.include('service');
    });
  });

  for (const [how, listOutput] of [
    ['', undefined],
    [' that sends its output as bare lines', 'bare'],
    [' that sends its output as ended lines', 'ended'],
  ] as const) {
    describe(`a v1 agent${how} under our manager`, () => {
      it('answers our client and a v1 client, with its output as text', async () => {
        const manager = await startManager();
        const program = serviceProgram('echo one; echo; echo three; echo four >&2; exit 3');
        const output = listOutput === undefined ? {} : { listOutput };
        await startV1Agent({ manager, node: 'old1', command: program.file, ...output });
        await manager.waitForSubscribers(1);
        // Bare lines have lost the end of the last one.
        const ending = listOutput === 'bare' ? '' : '\n';
        const expected = {
          ...{ node: 'old1', returncode: 3, service: 'printer' },
          ...{ stdout: `one\n\nthree${ending}`, stderr: `four${ending}` },
        };
        const ours = await runClient(manager.request('old1', 'status', 'printer', ...window));
        expect(ours, ours.stderr).to.include({ code: 2 });
        expect(ours.answers()).to.have.lengthOf(1);
        expect(resultOf(ours.answers()[0])).to.include(expected);
        const old = await askAsV1(manager, 'any', 'printer', { expect: 1 });
        expect(old.answers).to.have.lengthOf(1);
        expect(old.answers[0]?.result).to.include(expected);
        expect(program.runs()).to.deep.equal(['printer status', 'printer status']);
      });
    });
  }

  it('a service of the host is started by a v1 agent under our manager', async () => {
    const manager = await startManager();
    await startV1Agent({ manager, node: 'old1' });
    await manager.waitForSubscribers(1);
    const service = wellBehaved();
    const run = await runClient(manager.request('old1', 'start', service.name, ...window));
    expect(run, run.stderr).to.include({ code: 0 });
    expect(service.daemonPid()).to.be.a('number');
    expect(await service.runs()).to.deep.equal(['start']);
  });

  it('trouble of a v1 agent reaches our client, by the name of its node', async () => {
    const manager = await startManager();
    await startV1Agent({ manager, node: 'old1', command: '/nowhere/service' });
    await manager.waitForSubscribers(1);
    const run = await runClient(manager.request('any', 'status', 'cron', ...window));
    expect(run, run.stderr).to.include({ code: 2 });
    expect(run.answers()).to.have.lengthOf(1);
    expect(run.answers()[0]).to.include({ success: -1, node: 'old1' });
    expect(run.answers()[0]?.['msg']).to.include('/nowhere/service');
  });

  it('our agent with protocol = v1 serves a v1 manager and its v1 client', async () => {
    const manager = await startV1Manager({ dispatchDelayMs });
    await startAgent({ managers: [manager], nodeName: 'web1', roles: ['web'], protocol: 'v1' });
    await manager.waitForSubscribers(1);
    const service = wellBehaved();
    for (const topic of ['any', systemName(), 'web1', 'role:web']) {
      const { answers } = await askAsV1(manager, topic, service.name, { cmd: 'start', expect: 1 });
      expect(answers, topic).to.have.lengthOf(1);
      expect(answers[0]?.result).to.include({ node: 'web1', returncode: 0, service: service.name });
    }
    expect(await service.runs()).to.deep.equal(['start', 'start', 'start', 'start']);
    expect(service.daemonPid()).to.be.a('number');
  });

  it('our client uses a v1 manager and its v1 agents, and waits to the end of its window', async () => {
    const manager = await startV1Manager({ dispatchDelayMs });
    await startV1Agent({ manager, node: 'old1' });
    await startV1Agent({ manager, node: 'old2', listOutput: 'bare' });
    await manager.waitForSubscribers(2);
    const service = failing(0);
    const line = ['-e', manager.endpoints.frontend, '-T', 'any', '-c', 'status', '-s', service.name];
    const run = await runClient([...line, '-w', '2']);
    expect(run, run.stderr).to.include({ code: 0 });
    expect(run.answers().map((answer) => resultOf(answer)['node'])).to.deep.equal(['old1', 'old2']);
    expect(resultOf(run.answers()[1])).to.include({ returncode: 0, stdout: 'status tried' });
    expect(run.elapsedMs).to.be.within(2_000, 5_000);
    expect(await service.runs()).to.deep.equal(['status', 'status']);
  });

  it('our client ends with 4 when nobody answers through a v1 manager', async () => {
    const manager = await startV1Manager({ dispatchDelayMs });
    const line = ['-e', manager.endpoints.frontend, '-T', 'any', '-c', 'status', '-s', 'cron'];
    expect(await runClient([...line, '-w', '1'])).to.include({ code: 4, stdout: '[]\n' });
  });

  it('v1 and v2 agents under our manager answer each exactly once', async () => {
    const manager = await startManager();
    const programs = [serviceProgram(), serviceProgram()];
    for (const [index, { file }] of programs.entries()) {
      await startAgent({ managers: [manager], nodeName: `new${index + 1}`, serviceProgram: file });
    }
    const { log } = await startV1Agents({ manager, count: 20 });
    await manager.waitForSubscribers(22);
    const old = await askAsV1(manager, 'any', 'first', { expect: 22, waitSeconds: 1.5, fullWait: true });
    expect(old).to.include({ nodes: 22, duplicates: 0 });
    const ours = await runClient(manager.request('any', 'status', 'second', ...window));
    expect(ours, ours.stderr).to.include({ code: 0 });
    expect(new Set(ours.answers().map((answer) => resultOf(answer)['node']))).to.have.lengthOf(22);
    expect(ours.answers()).to.have.lengthOf(22);
    for (const { runs } of programs) expect(runs()).to.deep.equal(['first status', 'second status']);
    const acted = jsonLines(log);
    expect(acted).to.have.lengthOf(40);
    expect(new Set(acted.map((line) => JSON.stringify(line)))).to.have.lengthOf(40);
  });

  describe('host web1 never acts on what is meant for web10, nor anybody on the topic anything', () => {
    it('when both have our agent', async () => {
      const manager = await startManager();
      const [web1, web10] = await startWebs(manager, 'v2');
      await askWebs(manager);
      expect(web1.runs()).to.deep.equal(['for-web1 reload', 'for-any reload']);
      expect(web10.runs()).to.deep.equal(['for-web10 reload', 'for-anything reload', 'for-any reload']);
    });

    it('when both have our agent with protocol = v1 under our manager', async () => {
      const manager = await startManager();
      const [web1, web10] = await startWebs(manager, 'v1', []);
      // What web10 cannot be asked alone, it is not asked at all; see the test with v1 agents.
      for (const topic of ['web10', 'anything', 'any']) {
        await runClient(manager.request(topic, 'reload', `for-${topic}`, ...window));
      }
      expect(web1.runs()).to.deep.equal(['for-any reload']);
      expect(web10.runs()).to.deep.equal(['for-any reload']);
    });

    it('when both have our agent with protocol = v1 under a v1 manager, which sends by prefix', async () => {
      const manager = await startV1Manager({ dispatchDelayMs });
      const [web1, web10] = await startWebs(manager, 'v1');
      for (const [topic, expected] of [
        ['web10', 1],
        ['anything', 1],
        ['web1', 1],
        ['any', 2],
      ] as const) {
        const { answers } = await askAsV1(manager, topic, `for-${topic}`, {
          cmd: 'reload',
          expect: expected,
        });
        expect(answers, topic).to.have.lengthOf(expected);
      }
      expect(web1.runs()).to.deep.equal(['for-web1 reload', 'for-any reload']);
      expect(web10.runs()).to.deep.equal(['for-web10 reload', 'for-anything reload', 'for-any reload']);
    });

    it('when both have v1 agents under our manager: it refuses what it cannot send to web10 alone', async () => {
      const manager = await startManager();
      const web1 = await startV1Agent({ manager, node: 'web1', fake: true });
      const web10 = await startV1Agent({ manager, node: 'web10', fake: true, topics: ['anything'] });
      await manager.waitForSubscribers(2);
      for (const topic of ['web10', 'anything']) {
        const ours = await runClient(manager.request(topic, 'reload', 'cron', ...window));
        expect(ours, topic).to.include({ code: 77, stdout: '' });
        expect(ours.stderr, topic).to.include('TOPIC_AMBIGUOUS');
        const old = await askAsV1(manager, topic, 'cron', { cmd: 'reload' }).catch(String);
        expect(old, topic).to.include('ended with code 1').and.to.include('TOPIC_AMBIGUOUS');
      }
      // What had been sent before would have arrived before this.
      const any = await askAsV1(manager, 'any', 'cron', { expect: 2 });
      const one = await askAsV1(manager, 'web1', 'cron', { expect: 1 });
      expect(any.nodes).to.equal(2);
      const anyRun = ['any', any.uuid, 'cron'];
      expect(jsonLines(web1.log)).to.deep.equal([anyRun, ['web1', one.uuid, 'cron']]);
      expect(jsonLines(web10.log)).to.deep.equal([anyRun]);
    });

    it('when only web10 has a v1 agent, which is served', async () => {
      const manager = await startManager();
      const web1 = serviceProgram();
      await startAgent({ managers: [manager], nodeName: 'web1', serviceProgram: web1.file });
      const web10 = await startV1Agent({ manager, node: 'web10', fake: true });
      await manager.waitForSubscribers(2);
      const run = await runClient(manager.request('web10', 'reload', 'for-web10', ...window));
      expect(run, run.stderr).to.include({ code: 0 });
      expect(run.answers().map((answer) => resultOf(answer)['node'])).to.deep.equal(['web10']);
      await runClient(manager.request('any', 'reload', 'for-any', ...window));
      expect(web1.runs()).to.deep.equal(['for-any reload']);
      expect(servicesIn(web10.log)).to.deep.equal(['for-web10', 'for-any']);
    });

    it('when only web1 has a v1 agent, while web10 is served', async () => {
      const manager = await startManager();
      const web10 = serviceProgram();
      const web1 = await startV1Agent({ manager, node: 'web1', fake: true });
      await startAgent({
        managers: [manager],
        nodeName: 'web10',
        topics: ['anything'],
        serviceProgram: web10.file,
      });
      await manager.waitForSubscribers(2);
      for (const topic of ['web10', 'anything', 'any']) {
        const run = await runClient(manager.request(topic, 'reload', `for-${topic}`, ...window));
        expect(run, `${topic}: ${run.stderr}`).to.include({ code: 0 });
      }
      expect(servicesIn(web1.log)).to.deep.equal(['for-any']);
      expect(web10.runs()).to.deep.equal(['for-web10 reload', 'for-anything reload', 'for-any reload']);
    });

    it('when nobody is on the topic, whoever is on a shorter one', async () => {
      const manager = await startManager();
      const ours = serviceProgram();
      await startAgent({ managers: [manager], nodeName: 'web1', serviceProgram: ours.file });
      const old = await startV1Agent({ manager, node: 'web2', fake: true });
      await manager.waitForSubscribers(2);
      for (const topic of ['web10', 'web20', 'anything', `${systemName()}-arm`, 'ANY', 'web']) {
        const run = await runClient(manager.request(topic, 'reload', 'for-nobody', ...window));
        expect(run, topic).to.include({ code: 68 });
      }
      await runClient(manager.request('any', 'reload', 'for-any', ...window));
      expect(ours.runs()).to.deep.equal(['for-any reload']);
      expect(servicesIn(old.log)).to.deep.equal(['for-any']);
    });
  });
});

/** Our agents web1 and web10, the second one also on the topic `anything`; what each acted on is in its program's log. */
async function startWebs(manager: RunningManager | V1Manager, protocol: 'v1' | 'v2', topics = ['anything']) {
  const web1 = serviceProgram();
  const web10 = serviceProgram();
  const both = { managers: [manager], protocol };
  await startAgent({ ...both, nodeName: 'web1', serviceProgram: web1.file });
  await startAgent({ ...both, nodeName: 'web10', topics, serviceProgram: web10.file });
  await manager.waitForSubscribers(2);
  return [web1, web10] as const;
}

/** The last request goes to both: whatever came before it had its chance to be acted on. */
async function askWebs(manager: RunningManager): Promise<void> {
  for (const [topic, nodes] of [
    ['web10', ['web10']],
    ['anything', ['web10']],
    ['web1', ['web1']],
    ['any', ['web1', 'web10']],
  ] as const) {
    const run = await runClient(manager.request(topic, 'reload', `for-${topic}`, ...window));
    expect(run, run.stderr).to.include({ code: 0 });
    expect(run.answers().map((answer) => resultOf(answer)['node'])).to.deep.equal(nodes);
  }
}

function askAsV1(
  { endpoints }: RunningManager | V1Manager,
  topic: string,
  service: string,
  more: Partial<Parameters<typeof runV1Client>[0]> = {},
): Promise<V1Answers> {
  return runV1Client({ endpoint: endpoints.frontend, topic, service, waitSeconds, ...more });
}

function resultOf(answer: JsonObject | undefined): JsonObject {
  const result = answer?.['result'];
  if (!isObject(result)) throw new Error(`no result in ${JSON.stringify(answer)}`);
  return result;
}

/** What a v1 agent acted on, from its log of `[topic, uuid, service]`. */
function servicesIn(log: string): unknown[] {
  return jsonLines(log).map((line) => (Array.isArray(line) ? line[2] : undefined));
}
