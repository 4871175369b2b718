import { expect } from 'chai';
import { type JoinCommand, joinManager } from '../../../src/cli/join-manager.ts';
import { Output } from '../../../src/cli/output.ts';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import { newSecretKeys, publicPartOf } from '../../../src/security/key-file.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { KeyFolder } from '../../../src/store/key-folder.ts';
import { JoinableManager } from '../../fakes/joinable-manager.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { RecordedTerminal } from '../../fakes/recorded-terminal.ts';

/** A manager, and somebody who may join it. */
async function met() {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const manager = await new JoinableManager(sockets, clock).start();
  const files = new MemoryKeyFiles();
  const folder = new KeyFolder({
    ...{
      files,
      keyFile: '/keys/client.key',
      kinds: ['operator', 'monitor'],
      managersFolder: '/keys/managers',
    },
  });
  const terminal = new RecordedTerminal();
  const output = new Output(terminal);
  const interrupt = new AbortController();
  const begin = (changes: Partial<JoinCommand> = {}) => {
    const command: JoinCommand = {
      joiner: { folder, roles: ['operator', 'monitor'], named: undefined, usualName: 'alice' },
      ...{ token: undefined, endpoint: manager.endpoint, managerKey: undefined, waitMs: 0, timeoutMs: 3_000 },
      ...changes,
    };
    return joinManager(command, { sockets, clock, output, interrupted: interrupt.signal });
  };
  /** With what was said, or the error. */
  const join = async (changes: Partial<JoinCommand> = {}) => {
    const joining = begin(changes).catch((thrown: unknown) => thrown);
    await clock.advanceAsync(3_000);
    const result = await joining;
    await output.flush();
    return { result, said: terminal.error };
  };
  const fingerprint = () => {
    const keys = folder.load();
    return keys === undefined ? 'none' : fingerprintOf(publicPartOf(keys).keys);
  };
  return { clock, sockets, manager, folder, files, terminal, output, begin, join, fingerprint, interrupt };
}

const managerFile = '/keys/managers/mgr1.manager';

describe('joining a manager with a token', () => {
  it('makes keys, has them accepted, and keeps how to reach the manager', async () => {
    const { manager, folder, join, fingerprint } = await met();
    const { result, said } = await join({ token: manager.token('operator') });
    expect(result).to.equal('accepted');
    expect(manager.known).to.deep.equal(['operator alice accepted']);
    expect(folder.managers()).to.deep.equal([
      {
        ...{ name: 'mgr1', key: manager.own.publicKey },
        endpoints: {
          ...{ join: 'tcp://mgr1:5850', frontend: 'tcp://mgr1:5500' },
          ...{ backend: 'tcp://mgr1:5600', sink: 'tcp://mgr1:5700' },
        },
      },
    ]);
    expect(said).to.equal(
      `made the keys of operator alice: /keys/client.key\njoined manager mgr1 as operator alice, ${fingerprint()}\n`,
    );
  });

  it('keeps keys and manager where only their owner may change them', async () => {
    const { manager, files, join } = await met();
    await join({ token: manager.token('operator') });
    expect(files.files.get('/keys/client.key')?.mode).to.equal(0o600);
    expect(files.files.get(managerFile)?.mode).to.equal(0o644);
  });

  it('never shows the token or a secret', async () => {
    const { manager, folder, join } = await met();
    const token = manager.token('operator');
    const { said } = await join({ token });
    const { said: again } = await join({ token: `${token}x` });
    const { curve, sign } = folder.load() ?? {};
    for (const secret of [token, curve?.secretKey ?? '-', sign?.secretKey ?? '-'])
      expect(said + again).not.to.include(secret);
  });

  it('keeps the key that the manager is going to have', async () => {
    const { manager, folder, join } = await met();
    const { publicKey } = newCurveKeys();
    manager.nextKey = publicKey;
    await join({ token: manager.token('operator') });
    expect(folder.managers()[0]).to.include({ key: manager.own.publicKey, nextKey: publicKey });
  });

  it('keeps no place where the manager has none', async () => {
    const { manager, folder, join } = await met();
    manager.ports = { frontend: 5_500, backend: 0, sink: 0, publisher: 0 };
    await join({ token: manager.token('operator') });
    expect(folder.managers()[0]?.endpoints).to.deep.equal({
      ...{ join: 'tcp://mgr1:5850', frontend: 'tcp://mgr1:5500', backend: undefined, sink: undefined },
    });
  });

  it('a second time takes over what has changed', async () => {
    const { manager, folder, join } = await met();
    await join({ token: manager.token('operator') });
    manager.ports = { ...manager.ports, frontend: 15_500 };
    const { result } = await join({ token: manager.token('operator') });
    expect(result).to.equal('accepted');
    expect(folder.managers().map(({ endpoints }) => endpoints.frontend)).to.deep.equal(['tcp://mgr1:15500']);
    expect(manager.known).to.deep.equal(['operator alice accepted']);
  });

  it('is refused with a token that is spent', async () => {
    const { manager, folder, join } = await met();
    const token = manager.token('operator', 'bob');
    manager.ring.removeToken('0000000000000001');
    const { result } = await join({ token });
    expect(result).to.include({
      code: 'BAD_TOKEN',
      message:
        'tcp://mgr1:5850 refused: the join token is unknown, past, used up, or for another role or name (BAD_TOKEN)',
    });
    expect(folder.managers()).to.deep.equal([]);
  });

  it('is refused with what is no token, before anything is made', async () => {
    const { files, join } = await met();
    expect((await join({ token: 'smj1-nonsense' })).result).to.include({ code: 'BAD_USAGE' });
    expect(files.files.size).to.equal(0);
  });

  it('goes to no other manager than that of the token', async () => {
    const { sockets, clock, manager, folder, join } = await met();
    const stranger = await new JoinableManager(sockets, clock, 'mgr2').start();
    const { result } = await join({ token: manager.token('operator'), endpoint: stranger.endpoint });
    expect(result).to.include({ code: 'MANAGER_UNREACHABLE' });
    expect([stranger.requests, folder.managers()]).to.deep.equal([[], []]);
  });

  it('is refused with a key of another manager beside it', async () => {
    const { manager, join } = await met();
    const managerKey = newCurveKeys().publicKey;
    expect((await join({ token: manager.token('operator'), managerKey })).result).to.include({
      code: 'BAD_USAGE',
      message: 'the join token is for another manager than --manager-key',
    });
    expect(manager.requests).to.deep.equal([]);
    const same = { token: manager.token('operator'), managerKey: manager.own.publicKey };
    expect((await join(same)).result).to.equal('accepted');
  });

  it('reaches nobody where no manager is', async () => {
    const { manager, join } = await met();
    const { result } = await join({ token: manager.token('operator'), endpoint: 'tcp://mgr9:5850' });
    expect(result).to.include({
      code: 'MANAGER_UNREACHABLE',
      message: 'tcp://mgr9:5850 did not answer within 3 s',
    });
  });

  it('never takes a manager for another one of the same name', async () => {
    const { sockets, clock, manager, files, join } = await met();
    await join({ token: manager.token('operator') });
    const kept = files.files.get(managerFile)?.text;
    await manager.stop();
    const impostor = await new JoinableManager(sockets, clock).start();
    const { result } = await join({ token: impostor.token('operator') });
    expect(result).to.include({
      code: 'NAME_TAKEN',
      message:
        'another manager of the name mgr1 was joined already, with another key: if this one has taken its place, ' +
        `remove ${managerFile}, and join again`,
    });
    expect(files.files.get(managerFile)?.text).to.equal(kept);
    files.remove(managerFile);
    expect((await join({ token: impostor.token('operator') })).result).to.equal('accepted');
  });

  it('knows a manager that has changed its key as it had said', async () => {
    const { sockets, clock, manager, folder, join } = await met();
    const next = newCurveKeys();
    manager.nextKey = next.publicKey;
    await join({ token: manager.token('operator') });
    await manager.stop();
    const same = await new JoinableManager(sockets, clock, 'mgr1', next).start();
    expect((await join({ token: same.token('operator') })).result).to.equal('accepted');
    expect(folder.managers().map(({ key }) => key)).to.deep.equal([next.publicKey]);
  });
});

describe('keys that were made to join', () => {
  /** Somebody else has the name already. */
  async function taken() {
    const { manager, ...rest } = await met();
    const other = {
      files: new MemoryKeyFiles(),
      keyFile: '/other/client.key',
      managersFolder: '/other/managers',
    };
    const folder = new KeyFolder({ ...other, kinds: ['agent', 'operator'] });
    const token = manager.token('operator');
    await rest.join({ token, joiner: { folder, roles: ['operator'], named: undefined, usualName: 'alice' } });
    return { manager, ...rest };
  }

  it('are taken away again when the name is taken, so that another one can be chosen', async () => {
    const { manager, folder, join, files } = await taken();
    const { result, said } = await join({ token: manager.token('operator') });
    expect(result).to.include({ code: 'NAME_TAKEN' });
    expect((result as Error).message).to.match(
      /is this a cloned machine\? \(NAME_TAKEN\); --name chooses another name$/,
    );
    expect(said).to.match(/\ntook the keys of operator alice away again: \/keys\/client\.key\n$/);
    expect(files.files.size).to.equal(0);
    const named = { says: '--name says', name: 'alice2' };
    const joiner = { folder, roles: ['operator'], named, usualName: 'alice' } as const;
    expect((await join({ token: manager.token('operator'), joiner })).result).to.equal('accepted');
  });

  it('are taken away again when the token is no good, or the key is rejected', async () => {
    const { manager, files, join, begin, clock, fingerprint } = await met();
    const token = manager.token('operator');
    manager.ring.removeToken('0000000000000001');
    expect((await join({ token })).result).to.include({ code: 'BAD_TOKEN' });
    expect(files.files.size).to.equal(0);
    const waiting = begin({ managerKey: manager.own.publicKey, waitMs: 60_000 }).catch(
      (error: unknown) => error,
    );
    await clock.advanceAsync(1_000);
    manager.ring.reject(fingerprint(), clock.wallMs());
    await clock.advanceAsync(2_000);
    expect(await waiting).to.include({ code: 'KEY_REFUSED' });
    expect(files.files.size).to.equal(0);
  });

  it('stay when no answer came: the manager may have taken them', async () => {
    const { manager, folder, join } = await met();
    const token = manager.token('operator');
    await manager.stop();
    expect((await join({ token })).result).to.include({ code: 'MANAGER_UNREACHABLE' });
    expect(folder.hasKeys).to.equal(true);
  });

  it('stay when they were there before, and no other name is offered for them', async () => {
    const { manager, folder, join } = await taken();
    folder.create(newSecretKeys('operator', 'alice', 0));
    const { result, said } = await join({ token: manager.token('operator') });
    expect(result).to.include({ code: 'NAME_TAKEN' });
    expect((result as Error).message).not.to.include('--name');
    expect(said).not.to.include('away again');
    expect(folder.hasKeys).to.equal(true);
  });

  it('have no other name where the token says which', async () => {
    const { manager, join } = await taken();
    const { result } = await join({ token: manager.token('operator', 'alice') });
    expect(result).to.include({ code: 'NAME_TAKEN' });
    expect((result as Error).message).not.to.include('--name');
  });

  it('have no other name where they are those of a node', async () => {
    const { manager, join, files } = await met();
    const joinerOf = (keyFile: string) => {
      const folder = new KeyFolder({
        files,
        keyFile,
        kinds: ['agent'],
        managersFolder: `${keyFile}.managers`,
      });
      const named = { says: 'this node is called', name: 'web1' };
      return { folder, roles: ['agent'], named, usualName: 'web1' } as const;
    };
    await join({ token: manager.token('agent'), joiner: joinerOf('/one') });
    const { result } = await join({ token: manager.token('agent'), joiner: joinerOf('/two') });
    expect(result).to.include({ code: 'NAME_TAKEN' });
    expect((result as Error).message).not.to.include('--name');
    expect(files.files.has('/two')).to.equal(false);
  });
});

describe('joining a manager without a token', () => {
  it('needs the key of the manager', async () => {
    const { files, join } = await met();
    const { result } = await join();
    expect(result).to.include({ code: 'BAD_USAGE' });
    expect((result as Error).message)
      .to.include('service-mgrd token create')
      .and.include('--manager-key');
    expect(files.files.size).to.equal(0);
  });

  it('says what has to be typed at the manager, and is pending', async () => {
    const { manager, folder, join, fingerprint } = await met();
    const { result, said } = await join({ managerKey: manager.own.publicKey });
    expect(result).to.equal('pending');
    expect([manager.known, folder.managers()]).to.deep.equal([['operator alice pending'], []]);
    expect(said).to.equal(
      [
        'made the keys of operator alice: /keys/client.key',
        `manager mgr1 has still to accept the key of operator alice, ${fingerprint()}`,
        `type there: service-mgrd keys accept ${fingerprint()}`,
        'when it has accepted the key, run the same command again',
        '',
      ].join('\n'),
    );
  });

  it('is accepted with the same keys when somebody has accepted them', async () => {
    const { clock, manager, folder, join, fingerprint } = await met();
    await join({ managerKey: manager.own.publicKey });
    manager.ring.accept(fingerprint(), clock.wallMs());
    expect((await join({ managerKey: manager.own.publicKey })).result).to.equal('accepted');
    expect(folder.managers()).to.have.length(1);
  });

  it('is refused when somebody has rejected the key', async () => {
    const { clock, manager, join, fingerprint } = await met();
    await join({ managerKey: manager.own.publicKey });
    manager.ring.reject(fingerprint(), clock.wallMs());
    expect((await join({ managerKey: manager.own.publicKey })).result).to.include({ code: 'KEY_REFUSED' });
  });
});

describe('waiting until a manager accepts', () => {
  const waitMs = 60_000;

  it('asks every two seconds, and is done as soon as it has', async () => {
    const { clock, manager, begin, fingerprint, output, terminal } = await met();
    const joining = begin({ managerKey: manager.own.publicKey, waitMs });
    await clock.advanceAsync(5_000);
    expect(manager.requests).to.have.length(3);
    manager.ring.accept(fingerprint(), clock.wallMs());
    await clock.advanceAsync(2_000);
    expect(await joining).to.equal('accepted');
    expect([manager.requests.length, clock.pending]).to.deep.equal([4, []]);
    await output.flush();
    expect(terminal.error.split('type there').length - 1).to.equal(1);
  });

  it('ends when the time is over', async () => {
    const { clock, manager, begin } = await met();
    const joining = begin({ managerKey: manager.own.publicKey, waitMs: 5_000 });
    await clock.advanceAsync(5_000);
    expect(await joining).to.equal('pending');
    expect([manager.requests.length, clock.now()]).to.deep.equal([3, 5_000]);
  });

  it('ends at once when somebody rejects it', async () => {
    const { clock, manager, begin, fingerprint } = await met();
    const joining = begin({ managerKey: manager.own.publicKey, waitMs }).catch((thrown: unknown) => thrown);
    await clock.advanceAsync(1_000);
    manager.ring.reject(fingerprint(), clock.wallMs());
    await clock.advanceAsync(2_000);
    expect(await joining).to.include({ code: 'KEY_REFUSED' });
  });

  it('ends at Ctrl-C', async () => {
    const { clock, manager, begin, interrupt } = await met();
    const joining = begin({ managerKey: manager.own.publicKey, waitMs });
    await clock.advanceAsync(1_000);
    interrupt.abort();
    expect(await joining).to.equal('pending');
    expect(manager.requests).to.have.length(1);
  });

  it('goes on while the manager is started again', async () => {
    const { clock, manager, begin, fingerprint } = await met();
    const joining = begin({ managerKey: manager.own.publicKey, waitMs });
    await clock.advanceAsync(1_000);
    await manager.stop();
    await clock.advanceAsync(10_000);
    manager.ring.accept(fingerprint(), clock.wallMs());
    await manager.start();
    await clock.advanceAsync(5_000);
    expect(await joining).to.equal('accepted');
  });

  it('begins with a manager that is there', async () => {
    const { clock, manager, begin } = await met();
    await manager.stop();
    const joining = begin({ managerKey: manager.own.publicKey, waitMs }).catch((thrown: unknown) => thrown);
    await clock.advanceAsync(3_000);
    expect(await joining).to.include({ code: 'MANAGER_UNREACHABLE' });
  });
});
