import { expect } from 'chai';
import type { Member } from '../../../src/core/roster.ts';
import type { Reach } from '../../../src/core/subscriptions.ts';
import { type Audience, Dispatcher } from '../../../src/manager/dispatch.ts';
import { message } from '../../../src/wire/codec.ts';
import { openDispatch } from '../../../src/wire/dispatch.ts';
import { NodeName, RequestId, type Topic } from '../../../src/wire/fields.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const nodes = message('node', 300, NodeName);
const none = { v1: 0, v2: 0, withheld: 0 };

/** A dispatcher, and all that leaves its socket, for whichever topic. */
async function dispatching() {
  const sockets = new MemorySockets();
  const dispatcher = new Dispatcher(await sockets.bindPublisher('tcp://*:5600'));
  const everything = sockets.connectSubscriber('tcp://localhost:5600');
  everything.subscribe('');
  const sent: string[][] = [];
  void (async () => {
    for await (const frames of everything) sent.push(frames.map(String));
  })();
  const settle = () => new ManualClock().advanceAsync(0);
  await settle();
  return {
    dispatcher,
    sent,
    settle,
    topics: async () => {
      await settle();
      return sent.map(([topic]) => topic);
    },
  };
}

function request(changes: Readonly<Record<string, unknown>> = {}) {
  const body = RequestBody.parse({ id, cmd: 'status', topic: 'web', service: 'sshd', ...changes });
  // As it came, and not as we would write it.
  return { body, bodyBytes: Buffer.from(JSON.stringify(body, null, 1)), signature: 'signed' };
}

/** All agents on the topic of the request, in these numbers. */
function on(reach: Partial<Reach>): Audience {
  return {
    members: [],
    reach: { ...none, ...reach },
    topic: 'web' as Topic,
    isByName: false,
    denials: new Map(),
  };
}

/** These nodes by their names, and v1 agents on its topic. */
function to(...names: string[]): Audience {
  const members = names.map((node) => ({ node }) as Member);
  return { ...on({}), members, topic: undefined, isByName: true };
}

describe('a request is sent', () => {
  it('once to all v2 agents on its topic, with the bytes of its body and its signature', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    const asked = request();
    dispatcher.request(asked, on({ v2: 300 }));
    await settle();
    expect(sent).to.deep.equal([
      ['\x02web\x00', `{"v":2,"type":"request","id":"${id}"}`, asked.bodyBytes.toString(), 'signed'],
    ]);
  });

  it('once to all v1 agents on its topic, in their form', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    dispatcher.request(request(), on({ v1: 300 }));
    await settle();
    expect(sent).to.deep.equal([['web', `{"cmd":"status","topic":"web","service":"sshd","uuid":"${id}"}`]]);
  });

  it('in both forms when there are agents of both versions', async () => {
    const { dispatcher, topics } = await dispatching();
    dispatcher.request(request(), on({ v1: 1, v2: 1 }));
    expect(await topics()).to.deep.equal(['\x02web\x00', 'web']);
  });

  it('not at all when nobody is on its topic', async () => {
    const { dispatcher, topics } = await dispatching();
    dispatcher.request(request(), on({}));
    expect(await topics()).to.deep.equal([]);
  });

  it('in no v1 form when it is withheld from v1 agents', async () => {
    const { dispatcher, topics } = await dispatching();
    dispatcher.request(request(), on({ v2: 1, withheld: 5 }));
    expect(await topics()).to.deep.equal(['\x02web\x00']);
  });

  it('to each node by its name and not to its topic, when it is aimed so', async () => {
    const { dispatcher, sent, topics } = await dispatching();
    dispatcher.request(request(), { ...to('web1', 'web2'), reach: { v1: 9, v2: 9, withheld: 0 } });
    expect(await topics()).to.deep.equal(['\x03web1\x00', '\x03web2\x00']);
    expect(sent[0]?.slice(1)).to.deep.equal(sent[1]?.slice(1));
  });

  it('to one node, by its name, with the same bytes', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    const asked = request();
    dispatcher.ask(asked, nodes.parse('web7'));
    await settle();
    expect(sent).to.deep.equal([
      ['\x03web7\x00', `{"v":2,"type":"request","id":"${id}"}`, asked.bodyBytes.toString(), 'signed'],
    ]);
  });

  it('to each node by its name and to the v1 agents on its topic, when that was planned so', async () => {
    const { dispatcher, topics } = await dispatching();
    dispatcher.request(request(), { ...on({ v1: 1, v2: 1 }), members: to('web1').members, isByName: true });
    expect(await topics()).to.deep.equal(['\x03web1\x00', 'web']);
  });

  it('to its topic as it is meant, however it was written', async () => {
    const { dispatcher, topics } = await dispatching();
    dispatcher.request(request({ topic: "'web'" }), on({ v1: 1, v2: 1 }));
    expect(await topics()).to.deep.equal(['\x02web\x00', 'web']);
  });

  it('to one node with the time until which it is good, when the manager says one', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    dispatcher.ask(request(), nodes.parse('web7'), 1_234);
    await settle();
    expect(sent[0]?.[1]).to.equal(`{"v":2,"type":"request","id":"${id}","notAfterMs":1234}`);
  });

  it('such that an agent of either version reads the same from it', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    const asked = request();
    dispatcher.request(asked, on({ v1: 1, v2: 1 }));
    await settle();
    for (const frames of sent) {
      expect(openDispatch(frames.map((frame) => Buffer.from(frame)))).to.deep.include({
        type: 'request',
        body: asked.body,
      });
    }
  });
});

describe('a word of the manager is sent', () => {
  it('to one node by its name, without a body', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    dispatcher.control(nodes.parse('web1'), { type: 'stored', id });
    await settle();
    expect(sent).to.deep.equal([['\x03web1\x00', `{"v":2,"type":"stored","id":"${id}"}`, '', '']]);
  });

  it('to all v2 agents when it is a pulse', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    dispatcher.pulse(undefined);
    await settle();
    expect(sent).to.deep.equal([['\x03*\x00', '{"v":2,"type":"pulse"}', '', '']]);
  });

  it('to all v2 agents with the key that the manager is going to have', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    const nextKey = 'k'.repeat(40);
    dispatcher.pulse(nextKey);
    await settle();
    expect(sent).to.deep.equal([['\x03*\x00', `{"v":2,"type":"pulse","nextKey":"${nextKey}"}`, '', '']]);
  });

  it('to nobody for whom the policy refuses the request', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    const denials = new Map([[nodes.parse('web2'), 'refused by line 1']]);
    dispatcher.request(request(), { ...to('web1', 'web2', 'web3'), denials });
    await settle();
    expect(sent.map(([topic]) => topic)).to.deep.equal(['\x03web1\x00', '\x03web3\x00']);
  });

  it('to cancel a request, with what whoever cancelled it has signed', async () => {
    const { dispatcher, sent, settle } = await dispatching();
    const signed = { bytes: Buffer.from('{"v":2, "query":"cancel"}'), signature: 'signed' };
    dispatcher.control(nodes.parse('web1'), { type: 'cancel', id, signed });
    await settle();
    expect(sent).to.deep.equal([
      ['\x03web1\x00', `{"v":2,"type":"cancel","id":"${id}"}`, '{"v":2, "query":"cancel"}', 'signed'],
    ]);
  });
});
