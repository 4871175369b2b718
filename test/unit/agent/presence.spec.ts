import { expect } from 'chai';
import { Link } from '../../../src/agent/link.ts';
import { Presence } from '../../../src/agent/presence.ts';
import { serve } from '../../../src/platform/serve.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, Topic } from '../../../src/wire/fields.ts';
import { BootId, Hello } from '../../../src/wire/presence.ts';
import { openSinkMessage } from '../../../src/wire/sink.ts';
import type { ProtocolVersion } from '../../../src/wire/topic.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';

const boot = message('boot', 64, BootId).parse('b'.repeat(32));
const node = message('node', 300, NodeName).parse('web1');
const hello = Hello.parse({
  ...{ node, boot, system: 'Linux', release: '6.1', version: '#1 SMP', machine: 'x86_64' },
  ...{ roles: ['web'], topics: ['any', 'web1'], agentVersion: '1.0', startedAtMs: 0 },
});

/** The presence of web1 at one manager or two, whose sinks the test plays. */
async function presenceAt(managers: number[], random = () => 0.5, protocol: ProtocolVersion = 'v2') {
  const clock = new ManualClock(1_000);
  const log = new RecordedLog();
  const sockets = new MemorySockets();
  const presence = new Presence({ clock, log, random, boot, hello: () => hello });
  const said: string[] = [];
  const links: Link[] = [];
  for (const manager of managers) {
    const sink = await sockets.bindPull(`tcp://*:${manager}`);
    void serve(sink, (frames) => said.push(`${manager} ${openSinkMessage(frames).type} ${clock.now()}`));
    const link = new Link({
      sockets,
      managerEndpoint: `tcp://localhost:${manager + 1_000}`,
      sinkEndpoint: `tcp://localhost:${manager}`,
      node,
      topics: new Set([message('topic', 300, Topic).parse('any')]),
      protocol,
      nextSequence: () => 0,
    });
    links.push(link);
    presence.start(link);
  }
  const [first] = links;
  if (first === undefined) throw new Error('no link');
  await clock.advanceAsync(0);
  return { clock, log, presence, said, links, link: first };
}

describe('an agent', () => {
  it('says hello to each manager at once', async () => {
    const { said } = await presenceAt([1, 2]);
    expect(said).to.deep.equal(['1 hello 1000', '2 hello 1000']);
  });

  it('answers a pulse with one beat, some time within two seconds', async () => {
    for (const [random, atMs] of [
      [0, 1_000],
      [0.25, 1_500],
      [0.999, 2_998],
    ] as const) {
      const { clock, presence, said, link } = await presenceAt([1], () => random);
      presence.pulse(link);
      await clock.advanceAsync(5_000);
      expect(said.slice(1)).to.deep.equal([`1 beat ${atMs}`]);
    }
  });

  it('answers pulses that come quickly with one beat', async () => {
    const { clock, presence, said, link } = await presenceAt([1]);
    for (let count = 0; count < 3; count += 1) {
      presence.pulse(link);
      await clock.advanceAsync(300);
    }
    await clock.advanceAsync(5_000);
    expect(said.slice(1)).to.deep.equal(['1 beat 2000']);
    presence.pulse(link);
    await clock.advanceAsync(5_000);
    expect(said).to.have.length(3);
  });

  it('answers only the manager that spoke', async () => {
    const { clock, presence, said, links } = await presenceAt([1, 2]);
    for (const link of links.slice(1)) presence.pulse(link);
    await clock.advanceAsync(5_000);
    expect(said.slice(2)).to.deep.equal(['2 beat 2000']);
  });

  it('that is asked who it is says hello, once, some time within a second', async () => {
    const { clock, presence, said, link } = await presenceAt([1], () => 0.4);
    presence.asked(link);
    presence.asked(link);
    await clock.advanceAsync(5_000);
    expect(said.slice(1)).to.deep.equal(['1 hello 1400']);
    presence.asked(link);
    await clock.advanceAsync(5_000);
    expect(said).to.have.length(3);
  });

  it('says goodbye to each manager, and nothing afterwards', async () => {
    const { clock, presence, said, links } = await presenceAt([1, 2]);
    for (const link of links) presence.pulse(link);
    for (const link of links) presence.asked(link);
    presence.stop();
    await clock.advanceAsync(60_000);
    expect(said.slice(2)).to.deep.equal(['1 bye 1000', '2 bye 1000']);
    expect(clock.pending).to.deep.equal([]);
  });

  it('says nothing to a v1 manager', async () => {
    const { clock, presence, said, link } = await presenceAt([1], () => 0.5, 'v1');
    presence.pulse(link);
    presence.asked(link);
    await clock.advanceAsync(5_000);
    presence.stop();
    await clock.advanceAsync(0);
    expect(said).to.deep.equal([]);
  });

  it('does not mind a link that it does not know', async () => {
    const { presence, said } = await presenceAt([1]);
    const { link: stranger } = await presenceAt([2]);
    presence.pulse(stranger);
    presence.asked(stranger);
    expect([said.length, presence.silent()]).to.deep.equal([1, []]);
  });
});

describe('a manager', () => {
  it('is silent 30 to 40 s after its last pulse, and again as long after that', async () => {
    for (const [random, silentMs] of [
      [0, 30_000],
      [0.999, 39_990],
    ] as const) {
      const { clock, presence, link, log } = await presenceAt([1], () => random);
      presence.pulse(link);
      for (let round = 1; round <= 2; round += 1) {
        await clock.advanceAsync(silentMs - 1);
        expect(presence.silent()).to.deep.equal([]);
        await clock.advanceAsync(1);
        expect(presence.silent()).to.deep.equal([link]);
        expect(presence.silent()).to.deep.equal([]);
        expect(log.named('manager.silent')).to.have.length(round);
      }
      expect(log.events[0]).to.deep.include({ level: 'warn', fields: { manager: 'tcp://localhost:1' } });
    }
  });

  it('is not silent while it pulses', async () => {
    const { clock, presence, link } = await presenceAt([1], () => 0);
    for (let count = 0; count < 20; count += 1) {
      presence.pulse(link);
      await clock.advanceAsync(29_999);
      expect(presence.silent()).to.deep.equal([]);
    }
  });

  it('that was never heard is not silent: it may be of another version, or not there yet', async () => {
    const { clock, presence } = await presenceAt([1]);
    await clock.advanceAsync(3_600_000);
    expect(presence.silent()).to.deep.equal([]);
  });

  it('is silent on its own', async () => {
    const { clock, presence, links, link } = await presenceAt([1, 2], () => 0);
    for (const each of links) presence.pulse(each);
    await clock.advanceAsync(20_000);
    for (const each of links.slice(1)) presence.pulse(each);
    await clock.advanceAsync(10_000);
    expect(presence.silent()).to.deep.equal([link]);
  });
});
