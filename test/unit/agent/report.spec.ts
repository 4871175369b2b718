import { expect } from 'chai';
import { Report } from '../../../src/agent/report.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, RequestId } from '../../../src/wire/fields.ts';
import { Hello } from '../../../src/wire/presence.ts';
import { openSinkMessage } from '../../../src/wire/sink.ts';
import type { ProtocolVersion } from '../../../src/wire/topic.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const node = message('node', 300, NodeName).parse('web1');
const hello = Hello.parse({
  node: 'web1',
  boot: 'b'.repeat(32),
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  roles: [],
  topics: ['any'],
  agentVersion: '0.1.0',
  startedAtMs: 1,
});
const answer = Buffer.from(`{"success":-1,"msg":"no","node":"web1","uuid":"${id}"}`);

/** A report to a manager's sink, and what arrives there. */
async function reportTo(protocol: ProtocolVersion) {
  const sockets = new MemorySockets();
  const sink = await sockets.bindPull('tcp://*:5700');
  const push = sockets.connectPush('tcp://localhost:5700');
  const arrived: Buffer[][] = [];
  void (async () => {
    for await (const frames of sink) arrived.push(frames);
  })();
  let sequence = 40;
  const report = new Report({ sink: () => push, node, protocol, nextSequence: () => sequence++ });
  return { sockets, report, push, arrived, settle: () => new ManualClock().advanceAsync(0) };
}

describe('the report to a v1 manager', () => {
  it('is the answer alone, in one frame, byte for byte', async () => {
    const { report, arrived, settle } = await reportTo('v1');
    report.result(id, answer);
    await settle();
    expect(arrived).to.deep.equal([[answer]]);
  });

  it('is never anything but answers', async () => {
    const { report, arrived, settle } = await reportTo('v1');
    report.acknowledge(id, 'running');
    report.hello(hello);
    report.beat(hello.boot, 1_000);
    report.bye(hello.boot);
    await settle();
    expect(arrived).to.deep.equal([]);
  });

  it('is never confirmed', async () => {
    expect((await reportTo('v1')).report.isConfirmed).to.equal(false);
  });
});

describe('the report to a v2 manager', () => {
  it('is the answer in six frames, with a number that counts up', async () => {
    const { report, arrived, settle } = await reportTo('v2');
    report.result(id, answer);
    report.result(id, answer);
    await settle();
    expect(arrived.map((frames) => frames.map(String))).to.deep.equal([
      ['result', id, 'web1', '40', answer.toString(), ''],
      ['result', id, 'web1', '41', answer.toString(), ''],
    ]);
  });

  it('says hello, acknowledges, beats and says goodbye, all in one count', async () => {
    const { report, arrived, settle } = await reportTo('v2');
    report.hello(hello);
    report.acknowledge(id, 'queued');
    report.beat(hello.boot, 1_000);
    report.bye(hello.boot);
    await settle();
    expect(arrived.map((frames) => String(frames[3]))).to.deep.equal(['40', '41', '42', '43']);
    expect(arrived.map(openSinkMessage)).to.deep.equal([
      { type: 'hello', hello },
      { type: 'ack', id, node, phase: 'queued' },
      { type: 'beat', node, boot: hello.boot, sentAtMs: 1_000 },
      { type: 'bye', node, boot: hello.boot },
    ]);
  });

  it('has as its last frame the proof that is made of the others', async () => {
    const { sockets, arrived, settle } = await reportTo('v2');
    const mac = (frames: readonly Buffer[]) => Buffer.from(`proof of ${frames.slice(0, 5).join(' ')}`);
    const push = sockets.connectPush('tcp://localhost:5700');
    const report = new Report({ sink: () => push, node, protocol: 'v2', nextSequence: () => 7, mac });
    report.acknowledge(id, 'running');
    await settle();
    expect(arrived[0]?.slice(-2).map(String)).to.deep.equal([
      '{"phase":"running"}',
      `proof of ack ${id} web1 7 {"phase":"running"}`,
    ]);
  });

  it('waits until it is known for whom the proof is made, and keeps its order', async () => {
    const { sockets, arrived, settle } = await reportTo('v2');
    let whom: string | undefined;
    const mac = () => (whom === undefined ? undefined : Buffer.from(`for ${whom}`));
    const push = sockets.connectPush('tcp://localhost:5700');
    let sequence = 7;
    const report = new Report({
      sink: () => push,
      node,
      protocol: 'v2',
      nextSequence: () => sequence++,
      mac,
    });
    report.hello(hello);
    report.acknowledge(id, 'running');
    await settle();
    report.release();
    await settle();
    expect(arrived).to.deep.equal([]);
    whom = 'm1';
    report.release();
    report.release();
    report.bye(hello.boot);
    await settle();
    expect(arrived.map((frames) => `${frames[0]} ${frames[3]} ${frames[5]}`)).to.deep.equal([
      ...['hello 7 for m1', 'ack 8 for m1', 'bye 9 for m1'],
    ]);
    expect(report.dropped).to.equal(0);
  });

  it('of which too much waits loses the oldest of it, and counts that', async () => {
    const { sockets, arrived, settle } = await reportTo('v2');
    let isKnown = false;
    const mac = () => (isKnown ? Buffer.alloc(32) : undefined);
    const push = sockets.connectPush('tcp://localhost:5700');
    let sequence = 0;
    const report = new Report({
      sink: () => push,
      node,
      protocol: 'v2',
      nextSequence: () => sequence++,
      mac,
    });
    for (let count = 0; count < 1_003; count += 1) report.acknowledge(id, 'running');
    expect(report.dropped).to.equal(3);
    isKnown = true;
    report.release();
    await settle();
    expect([arrived.length, String(arrived[0]?.[3])]).to.deep.equal([1_000, '3']);
  });

  it('is confirmed by the manager', async () => {
    expect((await reportTo('v2')).report.isConfirmed).to.equal(true);
  });

  it('to a sink that is closed is dropped and counted, and throws nothing', async () => {
    const { report, push, arrived, settle } = await reportTo('v2');
    await push.close();
    report.result(id, answer);
    await settle();
    expect([push.dropped, arrived.length]).to.deep.equal([1, 0]);
  });
});
