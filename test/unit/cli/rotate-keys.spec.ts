import { expect } from 'chai';
import { fingerprintOfKeys } from '../../../src/cli/formats/own-keys.ts';
import { Output } from '../../../src/cli/output.ts';
import { rotateKeys } from '../../../src/cli/rotate-keys.ts';
import { newSecretKeys } from '../../../src/security/key-file.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { KeyFolder } from '../../../src/store/key-folder.ts';
import { JoinableManager } from '../../fakes/joinable-manager.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { RecordedTerminal } from '../../fakes/recorded-terminal.ts';

const hourMs = 3_600_000;
const nextFile = '/keys/own.key.next';

/** Keys of this kind that these managers know. */
async function known(kind: 'agent' | 'operator', ...names: string[]) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const files = new MemoryKeyFiles();
  const folder = new KeyFolder({
    ...{ files, keyFile: '/keys/own.key', kinds: [kind], managersFolder: '/keys/managers' },
  });
  const keys = newSecretKeys(kind, 'web1', 0);
  folder.create(keys);
  const managers: JoinableManager[] = [];
  for (const name of names) {
    const manager = await new JoinableManager(sockets, clock, name).start();
    const { curve, sign } = keys;
    const publicKeys = { curve: curve.publicKey, ...(sign === undefined ? {} : { sign: sign.publicKey }) };
    manager.ring.join({ role: kind, name: 'web1', keys: publicKeys }, clock.wallMs());
    manager.ring.accept(fingerprintOfKeys(keys), clock.wallMs());
    folder.keepManager({ name, key: manager.own.publicKey, endpoints: { join: manager.endpoint } });
    managers.push(manager);
  }
  const terminal = new RecordedTerminal();
  const output = new Output(terminal);
  const rotate = async () => {
    const command = { folder, joinCommand: 'x join', timeoutMs: 3_000 };
    const rotating = rotateKeys(command, { sockets, clock, output }).catch((thrown: unknown) => thrown);
    await clock.advanceAsync(10_000);
    const result = await rotating;
    await output.flush();
    const said = terminal.error;
    terminal.error = '';
    return { result, said };
  };
  return { clock, sockets, files, folder, keys, managers, rotate };
}

for (const kind of ['agent', 'operator'] as const) {
  describe(`rotating the keys of an ${kind}`, () => {
    it('has all managers accept new ones, and uses them then', async () => {
      const { files, folder, keys, managers, rotate } = await known(kind, 'mgr1', 'mgr2');
      const { result, said } = await rotate();
      const now = folder.load();
      expect(result).to.deep.equal(now);
      expect(now?.curve.publicKey).not.to.equal(keys.curve.publicKey);
      expect(now).to.include({ kind, name: 'web1' });
      for (const manager of managers)
        expect(manager.known).to.have.members([`${kind} web1 retiring`, `${kind} web1 accepted`]);
      expect(files.exists(nextFile)).to.equal(false);
      expect(said).to.equal(
        `manager mgr1: accepted\nmanager mgr2: accepted\nthe keys of ${kind} web1 are ${
          now === undefined ? '' : fingerprintOfKeys(now)
        } from now on\n`,
      );
    });

    it('keeps the present ones while a manager is away, and goes on from there the next time', async () => {
      const { files, folder, keys, managers, rotate } = await known(kind, 'mgr1', 'mgr2', 'mgr3');
      await managers[1]?.stop();
      const { result, said } = await rotate();
      expect(result).to.include({
        code: 'MANAGER_UNREACHABLE',
        message:
          'manager mgr2 does not answer (tcp://mgr2:5850 did not answer within 3 s): the new keys are kept and the ' +
          'present ones stay in use; run the same command again when it is there',
      });
      expect(said).to.equal('manager mgr1: accepted\n');
      expect([folder.load(), managers[2]?.requests]).to.deep.equal([keys, []]);
      const next = folder.loadNext();
      await managers[1]?.start();
      const { result: later } = await rotate();
      expect(later).to.deep.equal(next);
      expect(folder.load()).to.deep.equal(next);
      expect(files.exists(nextFile)).to.equal(false);
    });

    it('goes on also when the first manager has forgotten the present ones meanwhile', async () => {
      const { clock, folder, managers, rotate } = await known(kind, 'mgr1', 'mgr2');
      await managers[1]?.stop();
      await rotate();
      clock.jumpWall(2 * hourMs);
      managers[0]?.ring.tick(clock.wallMs());
      expect(managers[0]?.known).to.deep.equal([`${kind} web1 accepted`]);
      await managers[1]?.start();
      const next = folder.loadNext();
      expect((await rotate()).result).to.deep.equal(next);
      expect(folder.load()).to.deep.equal(next);
    });

    it('stops where they are revoked, and keeps the present ones', async () => {
      const { clock, folder, keys, managers, rotate } = await known(kind, 'mgr1');
      managers[0]?.ring.revoke(fingerprintOfKeys(keys), clock.wallMs());
      expect((await rotate()).result).to.include({ code: 'NAME_TAKEN' });
      expect(folder.load()).to.deep.equal(keys);
    });
  });
}

describe('rotating keys', () => {
  it('waits for a decision where a manager knows the present ones no more', async () => {
    const { folder, keys, managers, clock, rotate } = await known('agent', 'mgr1');
    const [manager] = managers;
    manager?.ring.revoke(fingerprintOfKeys(keys), clock.wallMs());
    manager?.ring.remove(fingerprintOfKeys(keys));
    const { result, said } = await rotate();
    const next = folder.loadNext();
    const print = next === undefined ? '' : fingerprintOfKeys(next);
    expect([result, folder.load()]).to.deep.equal([undefined, keys]);
    expect(said).to.equal(
      `manager mgr1: pending\ntype there: service-mgrd keys accept ${print}, and run the same command again here\n`,
    );
    manager?.ring.accept(print, clock.wallMs());
    expect((await rotate()).result).to.deep.equal(next);
  });

  it('finds a manager that has changed its key meanwhile, and knows it by that one from then on', async () => {
    const { folder, managers, rotate } = await known('agent', 'mgr1');
    const [manager] = managers;
    if (manager === undefined) throw new Error('no manager');
    const next = newCurveKeys();
    folder.keepManager({
      ...{ name: 'mgr1', key: manager.own.publicKey, nextKey: next.publicKey },
      endpoints: { join: manager.endpoint },
    });
    await manager.stop();
    manager.own = next;
    await manager.start();
    expect((await rotate()).said).to.include('mgr1: accepted');
    const [kept] = folder.managers();
    expect([kept?.key, kept?.nextKey]).to.deep.equal([next.publicKey, undefined]);
  });

  it('learns of the key that a manager is going to have', async () => {
    const { folder, managers, rotate } = await known('agent', 'mgr1');
    const { publicKey } = newCurveKeys();
    for (const manager of managers) manager.nextKey = publicKey;
    await rotate();
    expect(folder.managers()[0]?.nextKey).to.equal(publicKey);
  });

  it('makes others where an earlier rotation was ended in all but its file', async () => {
    const { files, folder, keys, managers, rotate } = await known('agent', 'mgr1');
    files.put(nextFile, files.readSecret('/keys/own.key'));
    await rotate();
    expect(folder.load()?.curve.publicKey).not.to.equal(keys.curve.publicKey);
    expect([files.exists(nextFile), managers[0]?.known.length]).to.deep.equal([false, 2]);
  });

  it('needs keys, and a manager that was joined', async () => {
    const { files, rotate } = await known('agent');
    expect((await rotate()).result).to.include({
      ...{ code: 'BAD_CONFIG', message: 'no manager was joined yet: run "x join"' },
    });
    expect(files.exists(nextFile)).to.equal(false);
    files.remove('/keys/own.key');
    expect((await rotate()).result).to.include({
      ...{ code: 'BAD_CONFIG', message: '/keys/own.key: there are no keys yet: run "x join"' },
    });
  });
});
