import { expect } from 'chai';
import { fingerprintOfKeys } from '../../../../src/cli/formats/own-keys.ts';
import { fingerprintOf } from '../../../../src/security/fingerprint.ts';
import { type CurveKeys, newCurveKeys } from '../../../../src/security/keys.ts';
import { agentHost } from '../../../fakes/command-host.ts';
import { JoinableManager } from '../../../fakes/joinable-manager.ts';
import { RunningManagement } from '../../../fakes/management-door.ts';

const keyFile = '/var/lib/service-mgr/agent/agent.key';
const joinCommand = 'service-mgr-agentd join TOKEN --manager tcp://HOST';

describe('service-mgr-agentd keys init', () => {
  it('makes the keys of the node, and says how to join', async () => {
    const host = agentHost();
    const { code, out, error } = await host.end('keys init');
    const keys = host.home.folder.load();
    expect(code).to.equal(0);
    expect(keys).to.include({ kind: 'agent', name: 'web1' });
    expect(out.split('\n').slice(0, 2)).to.deep.equal(['agent        web1', `file         ${keyFile}`]);
    expect(out).to.include(keys === undefined ? 'no keys' : fingerprintOfKeys(keys));
    expect(error).to.equal(`now join a manager: ${joinCommand}\n`);
  });

  it('says that a node of another name needs the name in its configuration', async () => {
    const { code, error } = await agentHost().end('keys init --name web7');
    expect(code).to.equal(0);
    expect(error).to.equal(
      `this node is called web1: say node_name = web7 in the configuration\nnow join a manager: ${joinCommand}\n`,
    );
  });

  it('never overwrites keys', async () => {
    const host = agentHost();
    await host.end('keys init');
    const before = host.home.folder.load();
    const { code, error } = await host.end('keys init');
    expect([code, host.home.folder.load()]).to.deep.equal([78, before]);
    expect(error).to.include(`${keyFile}: there are keys of agent web1 already, SHA256:`);
  });
});

describe('service-mgr-agentd keys show', () => {
  it('shows the managers that were joined, too', async () => {
    const host = agentHost();
    await host.end('keys init');
    const { publicKey: key } = newCurveKeys();
    host.home.folder.keepManager({ name: 'mgr1', key, endpoints: { join: 'tcp://mgr1:5850' } });
    const { code, out } = await host.end('keys show');
    expect(code).to.equal(0);
    expect(out.trimEnd().split('\n').at(-1)).to.equal(
      `manager      mgr1, ${fingerprintOf({ curve: key })}, tcp://mgr1:5850`,
    );
  });

  it('says how to make keys where there are none', async () => {
    expect(await agentHost().end('keys show')).to.deep.equal({
      ...{ code: 78, out: '' },
      error: `service-mgr-agentd: ${keyFile}: there are no keys yet: run "${joinCommand}"\n`,
    });
  });
});

describe('service-mgr-agentd keys rotate', () => {
  /** An agent that has joined a manager. */
  async function joined() {
    const host = agentHost();
    const manager = await new JoinableManager(host.sockets, host.clock).start();
    await host.end(`join ${manager.token('agent')} --manager tcp://mgr1`);
    const { folder } = host.home;
    const present = folder.load()?.curve ?? newCurveKeys();
    return { host, manager, folder, present };
  }

  const statusOf = (pid: unknown) => ({
    'agent.status': () => ({ success: 0, msg: '', result: { status: 'running', pid } }) as const,
  });

  /** The same, and it runs; `reads`: the keys that it finds when it is told to read them again. */
  async function running(reads: (kept: CurveKeys) => CurveKeys = (kept) => kept) {
    const { host, folder, present, ...rest } = await joined();
    const door = await host.runsWith(statusOf(4_711), present);
    host.onHangUp = () => {
      const read = folder.load()?.curve;
      if (read !== undefined) void door.useKeys(reads(read));
    };
    return { host, folder, present, door, ...rest };
  }

  it('goes over to new keys, and has the running agent do so, too', async () => {
    const { host, manager, folder, present } = await running();
    const { code, error } = await host.end('keys rotate');
    const keys = folder.load();
    expect([code, host.hangUps]).to.deep.equal([0, [4_711]]);
    expect(keys?.curve.publicKey).not.to.equal(present.publicKey);
    expect(error).to.equal(
      [
        'manager mgr1: accepted',
        `the keys of agent web1 are ${keys === undefined ? '' : fingerprintOfKeys(keys)} from now on`,
        'the running agent (pid 4711) uses them',
        '',
      ].join('\n'),
    );
    expect(manager.known).to.have.members(['agent web1 retiring', 'agent web1 accepted']);
  });

  it('says that the agent has not taken them over', async () => {
    const { host, present } = await running(() => present);
    const { code, error } = await host.end('keys rotate');
    expect(code).to.equal(69);
    expect(error).to.include(
      'the running agent (pid 4711) was told, and does not use them yet: see its log, or start it again\n',
    );
  });

  it('says that nobody was told where no agent answers', async () => {
    const { host } = await joined();
    const { code, error } = await host.end('keys rotate');
    expect([code, host.hangUps]).to.deep.equal([0, []]);
    expect(error).to.include(
      'no agent answers on this host that could be told: one that runs has to be started again\n',
    );
  });

  it('sends no signal to a process that anybody could have named', async () => {
    const { host: withKeys } = await joined();
    const { host: withoutSecurity } = await joined();
    withoutSecurity.home = { ...withoutSecurity.home, ownKeys: () => undefined };
    for (const host of [withKeys, withoutSecurity]) {
      await host.runsWith(statusOf(4_711));
      expect((await host.end('keys rotate')).code).to.equal(0);
      expect(host.hangUps).to.deep.equal([]);
    }
  });

  it('sends no signal to what is no process of an agent', async () => {
    for (const pid of [0, 1, -1, 1.5, '4711', undefined]) {
      const { host, present } = await joined();
      await host.runsWith(statusOf(pid), present);
      expect((await host.end('keys rotate')).code).to.equal(0);
      expect(host.hangUps, String(pid)).to.deep.equal([]);
    }
  });

  it('sends no signal for an agent of another host', async () => {
    const { host, present } = await joined();
    const there = 'tcp://web9:6000';
    await RunningManagement.start(host.sockets, host.clock, there, statusOf(4_711), present);
    expect((await host.end(`-e ${there} keys rotate`)).code).to.equal(0);
    expect(host.hangUps).to.deep.equal([]);
  });

  it('tells nobody while a manager is away, and ends with 69', async () => {
    const { host, manager, folder, present } = await running();
    await manager.stop();
    const { code, error } = await host.end('keys rotate');
    expect([code, host.hangUps, folder.load()?.curve]).to.deep.equal([69, [], present]);
    expect(error).to.include('service-mgr-agentd: manager mgr1 does not answer');
    await manager.start();
    expect((await host.end('keys rotate')).code).to.equal(0);
    expect(host.hangUps).to.deep.equal([4_711]);
  });

  it('ends with 75 while somebody has to accept them', async () => {
    const { host, manager, folder } = await joined();
    const keys = folder.load();
    const print = keys === undefined ? '' : fingerprintOfKeys(keys);
    manager.ring.revoke(print, host.clock.wallMs());
    manager.ring.remove(print);
    expect((await host.end('keys rotate')).code).to.equal(75);
    expect(folder.load()).to.deep.equal(keys);
  });
});
