import { expect } from 'chai';
import { Link } from '../../../src/agent/link.ts';
import { message } from '../../../src/wire/codec.ts';
import {
  controlFrames,
  type Dispatch,
  dispatchFramesV1,
  dispatchFramesV2,
} from '../../../src/wire/dispatch.ts';
import { NodeName, RequestId, Topic } from '../../../src/wire/fields.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import {
  addressFrame,
  everyAgent,
  type ProtocolVersion,
  readSubscription,
  topicFrame,
} from '../../../src/wire/topic.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const web1 = message('node', 300, NodeName).parse('web1');
const topics = message('topic', 4_096, Topic);

function requestOn(topic: string): RequestBody {
  return RequestBody.parse({ id, cmd: 'status', topic, service: 'sshd' });
}

function v2(topic: string): Buffer[] {
  const body = requestOn(topic);
  return dispatchFramesV2(topicFrame(topic, 'v2'), {
    id,
    bodyBytes: RequestBody.encode(body),
    signature: '',
  });
}

/** The link of web1 to a manager, whose backend the test plays. */
async function linkOf(protocol: ProtocolVersion, names = ['any', 'web1']) {
  const sockets = new MemorySockets();
  const backend = await sockets.bindPublisher('tcp://*:5600');
  const sink = await sockets.bindPull('tcp://*:5700');
  const seen: string[] = [];
  void (async () => {
    for await (const [frame = Buffer.alloc(0)] of backend) {
      const subscription = readSubscription(frame);
      seen.push(`${subscription?.isSubscribed ? '+' : '-'}${subscription?.version} ${subscription?.topic}`);
    }
  })();
  const link = new Link({
    sockets,
    managerEndpoint: 'tcp://localhost:5600',
    sinkEndpoint: 'tcp://localhost:5700',
    node: web1,
    topics: new Set(names.map((name) => topics.parse(name))),
    protocol,
    nextSequence: () => 0,
  });
  const [dispatched, rejected, foreign]: [Dispatch[], Array<[string, RequestId | undefined]>, string[]] = [
    [],
    [],
    [],
  ];
  let isOver = false;
  const listening = link.listen({
    onDispatch: (dispatch) => dispatched.push(dispatch),
    onRejected: (error, of) => rejected.push([error.code, of]),
    onForeignTopic: (topic) => foreign.push(topic),
  });
  void listening.then(() => {
    isOver = true;
  });
  const settle = () => new ManualClock().advanceAsync(0);
  await settle();
  return {
    link,
    sink,
    seen,
    dispatched,
    rejected,
    foreign,
    settle,
    isOver: () => isOver,
    send: async (frames: Buffer[]) => {
      backend.send(frames);
      await settle();
    },
  };
}

describe('a link to a v2 manager', () => {
  it('subscribes to the topics of its node, to its address and to that of all agents, in the v2 form only', async () => {
    const { seen } = await linkOf('v2');
    expect(seen).to.deep.equal(['+v2 any', '+v2 web1', `+address ${everyAgent}`, '+address web1']);
  });

  it('hands on a request on one of its topics', async () => {
    const { dispatched, send } = await linkOf('v2');
    await send(v2('web1'));
    const body = requestOn('web1');
    const signed = { bytes: RequestBody.encode(body), signature: '' };
    expect(dispatched).to.deep.equal([{ type: 'request', body, signed }]);
  });

  it('hands on a request to its address, whatever its topic, with the bytes that were signed', async () => {
    const { dispatched, send } = await linkOf('v2');
    const body = requestOn('role:elsewhere');
    const signed = { bytes: Buffer.from(JSON.stringify(body, null, 1)), signature: 'signed' };
    const { bytes: bodyBytes, signature } = signed;
    await send(dispatchFramesV2(addressFrame('web1'), { id, bodyBytes, signature }));
    expect(dispatched).to.deep.equal([{ type: 'request', body, signed }]);
  });

  it('hands on what the manager says to all agents, and to this one', async () => {
    const { dispatched, send } = await linkOf('v2');
    await send(controlFrames(addressFrame(everyAgent), { type: 'pulse' }));
    await send(controlFrames(addressFrame('web1'), { type: 'stored', id }));
    expect(dispatched).to.deep.equal([{ type: 'pulse' }, { type: 'stored', id }]);
  });

  it('listens to other topics when it is told to, and keeps those that stay', async () => {
    const { link, seen, dispatched, foreign, send, settle } = await linkOf('v2', ['any', 'role:web', 'web1']);
    seen.length = 0;
    link.listenTo(new Set(['any', 'role:db', 'web1'].map((name) => topics.parse(name))));
    await settle();
    expect(seen).to.deep.equal(['+v2 role:db', '-v2 role:web']);
    for (const topic of ['role:db', 'role:web', 'any']) await send(v2(topic));
    expect(dispatched.map((dispatch) => dispatch.type === 'request' && dispatch.body.topic)).to.deep.equal([
      'role:db',
      'any',
    ]);
    expect(foreign).to.deep.equal([]);
    seen.length = 0;
    await link.reopen();
    await settle();
    expect(seen.filter((line) => line.startsWith('+v2'))).to.have.members([
      '+v2 any',
      '+v2 role:db',
      '+v2 web1',
    ]);
  });

  it('never hears a request for web10, nor one for its own topics in the v1 form', async () => {
    const { dispatched, foreign, send } = await linkOf('v2');
    await send(v2('web10'));
    await send(controlFrames(addressFrame('web10'), { type: 'cancel', id }));
    await send(dispatchFramesV1(requestOn('web1')));
    expect([dispatched, foreign]).to.deep.equal([[], []]);
  });
});

describe('a link to a v1 manager', () => {
  it('subscribes to the topics of its node in the v1 form only', async () => {
    const { seen } = await linkOf('v1');
    expect(seen).to.deep.equal(['+v1 any', '+v1 web1']);
  });

  it('hands on a request on one of its topics', async () => {
    const { dispatched, send } = await linkOf('v1');
    await send(dispatchFramesV1(requestOn('web1')));
    expect(dispatched).to.deep.equal([{ type: 'request', body: requestOn('web1'), signed: undefined }]);
  });

  for (const topic of ['web10', 'anything', 'web1.example.org']) {
    it(`drops a request for ${topic}, which ZeroMQ lets through, and does not even refuse it`, async () => {
      const { dispatched, rejected, foreign, send } = await linkOf('v1');
      await send(dispatchFramesV1(requestOn(topic)));
      expect([dispatched, rejected, foreign]).to.deep.equal([[], [], [topic]]);
    });
  }

  it('drops what was not meant for this node before it looks at the rest of it', async () => {
    const { rejected, foreign, send } = await linkOf('v1');
    await send([Buffer.from('web10'), Buffer.from('{"uuid":')]);
    await send([Buffer.from('web10')]);
    expect([rejected, foreign]).to.deep.equal([[], ['web10', 'web10']]);
  });
});

describe('a message for this node that is not usable', () => {
  it('is rejected with its code, and with its id when it has one', async () => {
    const { dispatched, rejected, send } = await linkOf('v1');
    await send([Buffer.from('any'), Buffer.from(`{"uuid":"${id}","cmd":7}`)]);
    await send([Buffer.from('any'), Buffer.from('{}')]);
    await send([Buffer.from('any'), Buffer.from('x')]);
    await send([Buffer.from('any')]);
    expect(dispatched).to.deep.equal([]);
    expect(rejected).to.deep.equal([
      ['INVALID_MESSAGE', id],
      ['INVALID_MESSAGE', undefined],
      ['NOT_JSON', undefined],
      ['FRAME_COUNT', undefined],
    ]);
  });

  it('does not stop the link', async () => {
    const { dispatched, send } = await linkOf('v2');
    await send([topicFrame('any', 'v2'), Buffer.from('x'), Buffer.alloc(0), Buffer.alloc(0)]);
    await send(v2('any'));
    expect(dispatched).to.have.length(1);
  });
});

describe('a link that is opened again', () => {
  it('listens and reports over new connections', async () => {
    const { link, sink, seen, dispatched, settle, send, isOver } = await linkOf('v2');
    await link.reopen();
    await settle();
    expect(seen.slice(4)).to.have.members([
      '+v2 any',
      '+v2 web1',
      `+address ${everyAgent}`,
      '+address web1',
      '-v2 any',
      '-v2 web1',
      `-address ${everyAgent}`,
      '-address web1',
    ]);
    await send(v2('any'));
    expect(dispatched).to.have.length(1);
    link.report.acknowledge(id, 'running');
    for await (const frames of sink) {
      expect(String(frames[0])).to.equal('ack');
      break;
    }
    expect(isOver()).to.equal(false);
  });
});

describe('a link that is closed', () => {
  it('is over, and hears nothing more', async () => {
    const { link, dispatched, settle, send, isOver } = await linkOf('v2');
    await link.close();
    await send(v2('any'));
    await settle();
    expect(isOver()).to.equal(true);
    expect(dispatched).to.deep.equal([]);
  });

  it('may be closed twice', async () => {
    const { link } = await linkOf('v2');
    await Promise.all([link.close(), link.close()]);
  });

  it('counts what it could not send', async () => {
    const { link } = await linkOf('v2');
    await link.close();
    link.report.acknowledge(id, 'running');
    expect(link.dropped).to.equal(1);
  });
});
