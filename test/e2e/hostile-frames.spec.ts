import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ManagementRequest } from '../../src/wire/management.ts';
import { FrontendRequest } from '../../src/wire/request.ts';
import { eventually } from '../fakes/eventually.ts';
import type { Daemon } from './harness/daemon.ts';
import { FakeManager } from './harness/fake-manager.ts';
import {
  type RunningAgent,
  type RunningManager,
  runClient,
  startAgent,
  startManager,
} from './harness/fleet.ts';
import { junk, type Message, rawFrames, rawStreams } from './harness/junk.ts';
import { askJson, isObject, type JsonObject } from './harness/management.ts';
import { cleanUp } from './harness/processes.ts';
import { exchange, pour, push, subscribeRaw, untilCutOff } from './harness/raw-peers.ts';
import { type ServiceProgram, serviceProgram } from './harness/service-program.ts';

const seed = 20141122;
const count = 1_000;
const batches = 20;
const batchesToWarmUp = 12;
/** For eight batches more: each message may leave a KiB. */
const growthMiB = 8;
// A heap with much room is cleaned up seldom, and grows by more than what is looked for.
const env = { NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=32' };

const id = '0197a3b2c4d57e6f8091a2b3c4d5e6f7';
const order = { cmd: 'status', topic: 'any', service: 'mutated' };
const v1Request = json(order);
const v2Body = JSON.stringify({ id, ...order, windowMs: 1_000 });
const v2Request = json({ ...order, v: 2, body: v2Body, signature: '' });
const result = {
  ...{ node: 'web1', returncode: 0, service: 'mutated', stdout: 'running\n', stderr: '' },
  ...{ system: 'Linux', version: '#1 SMP' },
};
const answer = json({ msg: 'Executed service status request', result, uuid: id });
const trouble = json({ success: -1, msg: 'no', node: 'web1', uuid: id, code: 'TOO_BUSY' });
const empty = Buffer.alloc(0);
const v2Result = [...['result', id, 'web1', '7'].map((text) => Buffer.from(text)), answer, empty];
const results = [[answer], [trouble], v2Result, v2Result];
const v2Any = Buffer.from('\x02any\0');
const tasks = [
  [json({ ...order, uuid: id })],
  [json({ v: 2, type: 'request', id }), Buffer.from(v2Body), empty],
];

const boot = '0197a3b2c4d57e6f8091a2b3c4d5e6f8';
const hello = {
  ...{ node: 'ghost', boot, system: 'Linux', release: '6.1', version: '#1 SMP', machine: 'x86_64' },
  ...{ roles: [], topics: ['ghost'], agentVersion: '1', startedAtMs: 1 },
};
const presence = [
  sinkFrames('hello', boot, json(hello)),
  sinkFrames('ack', id, json({ phase: 'running' })),
  sinkFrames('beat', boot, empty),
  sinkFrames('bye', boot, empty),
];

describe('thousands of random and mutated messages', function () {
  this.timeout(120_000);
  afterEach(cleanUp);

  describe('to a manager', () => {
    it('on the frontend are each answered, refused with a code, and counted', async () => {
      const { manager } = await fleet();
      // One in four without the empty frame that a REQ puts first.
      const messages = junk(seed, count, [[v1Request], [v2Request]]).map((message, index) =>
        index % 4 === 0 ? message : [empty, ...message],
      );
      await overAndOver(manager, async () => {
        const before = await counters(manager);
        const replies = await exchange(manager.endpoints.frontend, messages);
        const after = await counters(manager);
        const failures = replies.filter(({ success }) => success === -1);
        expectCodes(failures);
        for (const reply of replies)
          if (!failures.includes(reply)) expect(reply).to.include.keys('uuid', 'port');
        const rejected = grown(before, after, 'framesRejected');
        expect(rejected + grown(before, after, 'requestsRefused')).to.equal(failures.length);
        expect(rejected).to.be.above(count / 2);
      });
      await expectGoodAnswer(manager);
    });

    it('on the backend are counted where they are no subscriptions, and leave none behind', async () => {
      const { manager } = await fleet();
      const isOfAgents = (frame: Buffer | undefined) =>
        frame?.subarray(1).equals(Buffer.from('any')) || frame?.subarray(1).equals(v2Any);
      const messages = subscriptionJunk().filter((message) => !isOfAgents(message[0]));
      await overAndOver(manager, async () => {
        const before = await counters(manager);
        // What comes last is seen from the outside: one more agent.
        await subscribeRaw(manager.endpoints.backend, [...messages, [Buffer.from('\x01any')]], () =>
          untilAgents(manager, 2),
        );
        await untilAgents(manager, 1);
        const rejected = grown(before, await counters(manager), 'framesRejected');
        expect(rejected).to.be.within(count / 2, count);
      });
      await expectGoodAnswer(manager);
    });

    it('on the backend are forgotten with their sender', async () => {
      const { manager } = await fleet();
      const messages = ['\x01any', '\x01\x02any\0', '\x01a'];
      const frames = messages.map((text) => [Buffer.from(text)]);
      await subscribeRaw(manager.endpoints.backend, frames, () =>
        eventually(async () => Number((await counters(manager))['agents']) > 1, 'they have arrived'),
      );
      await untilAgents(manager, 1);
      await expectGoodAnswer(manager);
    });

    it('on the publisher are counted where they are no subscriptions, and take nothing from others', async () => {
      const { manager } = await fleet();
      const messages = subscriptionJunk();
      await overAndOver(manager, async () => {
        const before = await counters(manager);
        const { uuid } = await askJson(manager.endpoints.frontend, v1Request);
        const last = [Buffer.from(`\x01${uuid}`)];
        // What comes last is seen from the outside: the answer that waits for it.
        await subscribeRaw(manager.endpoints.publisher, [...messages, last], async (published) => {
          expect(String((await published(String(uuid)))[1])).to.include('"returncode":0');
        });
        const rejected = grown(before, await counters(manager), 'framesRejected');
        expect(rejected).to.be.within(count / 2, count);
      });
      await expectGoodAnswer(manager);
    });

    it('on the sink are each counted', async () => {
      const { manager } = await fleet();
      const messages = junk(seed, count, results);
      await overAndOver(manager, async () => {
        const before = await counters(manager);
        const seen = async () => {
          const after = await counters(manager);
          return grown(before, after, 'framesRejected') + grown(before, after, 'results');
        };
        await push('PUSH', manager.endpoints.sink, messages, () =>
          eventually(async () => (await seen()) >= count, 'all are either results or rejected', 10_000),
        );
        expect(await seen()).to.equal(count);
        expect(grown(before, await counters(manager), 'framesRejected')).to.be.above(count / 2);
      });
      await expectGoodAnswer(manager);
    });

    it('on the sink, about the presence of nodes, do no harm to those that are there', async () => {
      const { manager, agent } = await fleet();
      const messages = junk(seed, count, presence);
      await overAndOver(manager, async () => {
        const before = await counters(manager);
        // What comes last is seen from the outside: one result.
        await push('PUSH', manager.endpoints.sink, [...messages, [answer]], () =>
          eventually(async () => grown(before, await counters(manager), 'results') > 0, 'the result', 10_000),
        );
        expect(grown(before, await counters(manager), 'framesRejected')).to.be.above(count / 2);
      });
      await expectGoodAnswer(manager, agent.nodeName);
    });

    it('on the management socket are each answered, refused with a code, and counted', async () => {
      const { manager } = await fleet();
      await overAndOver(manager, () => junkManagement(manager, 'manager.status'));
      await expectGoodAnswer(manager);
    });

    it('go together with streams that are not even ZeroMQ, at every port', async () => {
      const { manager } = await fleet();
      await overAndOver(manager, async () => {
        for (const endpoint of Object.values(manager.endpoints)) {
          await Promise.all(rawStreams(seed, 50).map((stream) => pour(endpoint, stream)));
        }
      });
      await expectGoodAnswer(manager);
    });

    it('go together with messages that are too large: refused with a code, or cut off', async () => {
      const { manager } = await fleet();
      for (const [endpoint, maxBytes] of [
        [manager.endpoints.frontend, FrontendRequest.maxBytes],
        [manager.endpoints.mgmt, ManagementRequest.maxBytes],
      ] as const) {
        const large = Buffer.alloc(maxBytes + 1, ' ');
        expect(await exchange(endpoint, [[empty, large]])).to.have.nested.property(
          '[0].code',
          'FRAME_TOO_LARGE',
        );
      }
      const huge = Buffer.alloc(64 * 1024 * 1024, ' ');
      await overAndOver(manager, async () => {
        for (const endpoint of Object.values(manager.endpoints)) await untilCutOff(endpoint, [empty, huge]);
      });
      await expectGoodAnswer(manager);
    });
  });

  describe('to an agent', () => {
    it('on the management socket are each answered, refused with a code, and counted', async () => {
      const { manager, agent } = await fleet();
      await overAndOver(agent, () => junkManagement(agent, 'agent.status'));
      await expectGoodAnswer(manager);
    });

    for (const protocol of ['v2', 'v1'] as const) {
      it(`from a manager that speaks ${protocol} are each counted, and answered where they have an id`, async () => {
        const manager = await FakeManager.start();
        const program = serviceProgram();
        const agent = await startAgent({ managers: [manager], protocol, serviceProgram: program.file, env });
        const topic = protocol === 'v1' ? Buffer.from('any') : v2Any;
        await manager.subscriptionTo(topic);
        const messages = junk(seed, count, tasks).map((message) => [topic, ...message]);
        await overAndOver(agent, async (round) => {
          const before = await counters(agent);
          const good = `${round}`.padStart(32, 'f');
          await manager.send([...messages, [topic, ...goodTask(protocol, good)]]);
          expect(await manager.answerTo(good)).to.have.nested.property('result.returncode', 0);
          const after = await counters(agent);
          const kinds = ['requests', 'foreignTopics', 'framesRejected'];
          const seen = kinds.map((kind) => grown(before, after, kind));
          expect(
            seen.reduce((sum, one) => sum + one, 0),
            seen.join(', '),
          ).to.equal(count + 1);
          expect(grown(before, after, 'framesRejected')).to.be.above(count / 2);
        });
        expectCodes(manager.troubles());
        expect(manager.troubles()).not.to.deep.equal([]);
        expectHarmless(program);
      });
    }

    it('from a manager that tells it what to do with requests leave it able to serve', async () => {
      const manager = await FakeManager.start();
      const agent = await startAgent({ managers: [manager], serviceProgram: serviceProgram().file, env });
      await manager.subscriptionTo(v2Any);
      const controls = [{ type: 'cancel', id }, { type: 'stored', id }, { type: 'who' }, { type: 'pulse' }];
      const good = controls.map((control) => [json({ v: 2, ...control }), empty, empty]);
      const messages = junk(seed, count, good).map((message) => [v2Any, ...message]);
      await overAndOver(agent, async (round) => {
        const before = await counters(agent);
        const uuid = `${round}`.padStart(32, 'e');
        await manager.send([...messages, [v2Any, ...goodTask('v2', uuid)]]);
        expect(await manager.answerTo(uuid)).to.have.nested.property('result.returncode', 0);
        expect(grown(before, await counters(agent), 'framesRejected')).to.be.above(count / 2);
      });
    });
  });

  describe('in the log', () => {
    it('of a manager are a few lines, also of results that nobody asked for', async () => {
      const { manager } = await fleet();
      await push('PUSH', manager.endpoints.sink, junk(seed, count, results), () =>
        eventually(async () => {
          const { framesRejected, results: taken } = await counters(manager);
          return Number(framesRejected) + Number(taken) >= count;
        }, 'all are either results or rejected'),
      );
      expectFewLines(manager);
    });

    it('of an agent are a few lines, also of those that are answered', async () => {
      const manager = await FakeManager.start();
      const agent = await startAgent({ managers: [manager], serviceProgram: serviceProgram().file });
      await manager.subscriptionTo(v2Any);
      const uuid = '1'.padStart(32, 'd');
      const messages = [...junk(seed, count, tasks), goodTask('v2', uuid)];
      await manager.send(messages.map((message) => [v2Any, ...message]));
      await manager.answerTo(uuid);
      expectFewLines(agent);
    });
  });

  describe('of peers that go at once', () => {
    for (const kind of ['manager', 'agent'] as const) {
      it(`take no good management request of others with them: ${kind}`, async () => {
        const daemon = (await fleet())[kind];
        // In the ZMTP of 2010, which needs no handshake: a peer without a name, then frames without the empty one.
        const stream = Buffer.concat([Buffer.of(1, 0), Buffer.from('\x05\0junk'.repeat(40))]);
        const unanswered: unknown[] = [];
        for (let round = 1; round <= 10; round += 1) {
          await pour(daemon.mgmtEndpoint, stream);
          await daemon.status(1_000).catch((error) => unanswered.push(error));
        }
        expect(unanswered.map(String)).to.deep.equal([]);
      });
    }
  });
});

async function fleet(): Promise<{ manager: RunningManager; agent: RunningAgent }> {
  const manager = await startManager({ env });
  const agent = await startAgent({ managers: [manager], serviceProgram: serviceProgram().file, env });
  await manager.waitForSubscribers(1);
  return { manager, agent };
}

/** The same batch several times; then the daemon is as large as before, has not repeated itself, and is well. */
async function overAndOver(daemon: Daemon, batch: (round: number) => Promise<void>): Promise<void> {
  const sizesMiB: number[] = [];
  for (let round = 1; round <= batches; round += 1) {
    await batch(round);
    sizesMiB.push(residentMiBOf(daemon));
  }
  // A heap is now and then larger by some MiB until it is cleaned up: the lowest of six counts.
  const [warmMiB, endMiB] = [sizesMiB.slice(0, batchesToWarmUp), sizesMiB].map((sizes) =>
    Math.min(...sizes.slice(-6)),
  );
  expect(Number(endMiB) - Number(warmMiB), `growth in MiB: ${sizesMiB}`).to.be.below(growthMiB);
  expectNoRepetition(daemon);
  expect(await daemon.status()).to.include({ status: 'running' });
}

/** What was turned away is said once for each peer and kind of mistake. */
function expectNoRepetition(daemon: Daemon): void {
  const said = daemon.events('message.rejected').map(({ door, peer, code }) => `${door} ${peer} ${code}`);
  expect(new Set(said).size, `lines of the same: ${said.join(', ')}`).to.equal(said.length);
}

/** Beside what is said of each request that is served, the log has a few lines at most. */
function expectFewLines(daemon: Daemon): void {
  const served = daemon.events('request.received').length + daemon.events('request.opened').length;
  const byKind = new Map<string, number>();
  for (const { event, code } of daemon.events()) {
    const kind = code === undefined ? String(event) : `${event} ${code}`;
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
  }
  const lines = [...byKind].map(([kind, times]) => `${times} ${kind}`).join(', ');
  expect(daemon.events().length, lines).to.be.below(30 + 2 * served);
}

/** By our client, through the manager, from the one agent that is really there. */
async function expectGoodAnswer(manager: RunningManager, topic = 'any'): Promise<void> {
  if (topic === 'any') await untilAgents(manager, 1);
  const run = await runClient(manager.request(topic, 'status', 'good', '-w', '8'));
  expect(run, run.stderr).to.include({ code: 0 });
  expect(run.answers()).to.have.lengthOf(1);
}

function untilAgents(manager: RunningManager, agents: number): Promise<void> {
  return eventually(
    async () => (await counters(manager))['agents'] === agents,
    `${agents} agents are connected`,
  );
}

/** For a publishing socket: one half can be no subscriptions, the other half may be some to anything. */
function subscriptionJunk(): Message[] {
  const good = ['\x01any', '\x01\x02any\0', '\x01\x03web1\0', '\x01end/', `\x01${id}`, '\x00any', '\x01'];
  const frames = good.map((text) => [Buffer.from(text)]);
  // What is longer than a topic can be cuts its peer off.
  const short = junk(seed, count, frames).filter((message) => message.every(({ length }) => length <= 2_048));
  return [...short.slice(0, count / 2), ...rawFrames(seed, count / 2)];
}

async function junkManagement(daemon: Daemon, command: string): Promise<void> {
  const messages = junk(seed, count, [[json({ cmd: command })]]);
  const before = await counters(daemon);
  // Without the empty frame that a REQ puts first there is nobody to answer, so those must leave no trace at all.
  const nameless = messages.map((message) => [...message.filter(({ length }) => length > 0), Buffer.of(1)]);
  await push('DEALER', daemon.mgmtEndpoint, nameless, async () => {
    const replies = await exchange(
      daemon.mgmtEndpoint,
      messages.map((message) => [empty, ...message]),
    );
    const failures = replies.filter(({ success }) => success === -1);
    expectCodes(failures);
    for (const reply of replies) if (!failures.includes(reply)) expect(reply).to.include({ success: 0 });
    expect(failures.length).to.be.above(count / 2);
    expect(grown(before, await counters(daemon), 'framesRejected')).to.be.at.least(failures.length);
  });
}

function goodTask(protocol: 'v1' | 'v2', uuid: string): Buffer[] {
  const good = { cmd: 'status', topic: 'any', service: 'good' };
  if (protocol === 'v1') return [json({ ...good, uuid })];
  return [json({ v: 2, type: 'request', id: uuid }), json({ id: uuid, ...good }), empty];
}

function expectCodes(failures: readonly JsonObject[]): void {
  for (const failure of failures) {
    expect(failure['msg']).to.be.a('string').that.does.not.equal('');
    expect(failure['code'], String(failure['msg'])).to.match(/^[A-Z][A-Z_]+$/);
  }
}

/** Whatever a mutated request asked for: what was run is an action of the closed list on a service by a good name. */
function expectHarmless(program: ServiceProgram): void {
  for (const run of program.runs()) {
    expect(run).to.match(/^[A-Za-z0-9@_][A-Za-z0-9@_.:+-]{0,254} status$/);
    expect(run).not.to.include('..');
  }
}

async function counters(daemon: Daemon): Promise<JsonObject> {
  const { counters: all } = await daemon.status();
  if (!isObject(all)) throw new Error(`${daemon.label} has no counters`);
  return all;
}

function grown(before: JsonObject, after: JsonObject, name: string): number {
  return Number(after[name]) - Number(before[name]);
}

function residentMiBOf({ program }: Daemon): number {
  const [, kiB] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1_024;
}

function sinkFrames(type: string, uuid: string, payload: Buffer): Message {
  return [...[type, uuid, 'ghost', '7'].map((text) => Buffer.from(text)), payload, empty];
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
