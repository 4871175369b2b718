import { expect } from 'chai';
import { fingerprintOfKeys } from '../../../../src/cli/formats/own-keys.ts';
import { fingerprintOf } from '../../../../src/security/fingerprint.ts';
import { publicPartOf, readPublicKeyFile } from '../../../../src/security/key-file.ts';
import { JoinableManager } from '../../../fakes/joinable-manager.ts';
import { PersonHost } from '../../../fakes/person-host.ts';

const keyFile = '/home/alice/.config/service-mgr/client.key';

describe('service-mgr-client keys init', () => {
  it('makes the keys of an operator under the login name, and shows them', async () => {
    const host = new PersonHost();
    const { code, out, error } = await host.end('keys init');
    const keys = host.folder.load();
    expect(code).to.equal(0);
    expect(keys).to.include({ kind: 'operator', name: 'alice', created: '2026-01-01T00:00:00Z' });
    expect(out).to.equal(
      [
        'operator     alice',
        `file         ${keyFile}`,
        'created      2026-01-01T00:00:00Z',
        `fingerprint  ${keys === undefined ? '' : fingerprintOfKeys(keys)}`,
        '',
      ].join('\n'),
    );
    expect(error).to.equal('now join a manager: service-mgr-client join TOKEN\n');
    expect(host.keyFiles.files.get(keyFile)?.mode).to.equal(0o600);
  });

  it('takes another name and another kind', async () => {
    const host = new PersonHost();
    await host.end('keys init --name nagios --kind monitor');
    expect(host.folder.load()).to.include({ kind: 'monitor', name: 'nagios' });
  });

  it('makes them where the configuration says', async () => {
    const host = new PersonHost();
    host.config = '[security]\nkey_dir = /keys';
    await host.end('keys init');
    expect([...host.keyFiles.files.keys()]).to.deep.equal(['/keys/client.key']);
  });

  it('never overwrites keys', async () => {
    const host = new PersonHost();
    await host.end('keys init');
    const before = host.folder.load();
    const { code, out, error } = await host.end('keys init --name bob');
    expect([code, out, host.folder.load()]).to.deep.equal([78, '', before]);
    expect(error).to.include(`${keyFile}: there are keys of operator alice already, SHA256:`);
  });

  it('refuses other kinds, and a login name that is none for keys', async () => {
    const host = new PersonHost();
    host.userName = 'a b';
    for (const line of [
      'keys init',
      'keys init --kind manager',
      'keys init --kind agent',
      'keys init --name a/b',
    ])
      expect(await host.end(line), line).to.include({ code: 64, out: '' });
    expect(host.keyFiles.files.size).to.equal(0);
  });
});

describe('service-mgr-client keys show', () => {
  it('shows the managers that were joined, too', async () => {
    const host = new PersonHost();
    const manager = await new JoinableManager(host.sockets, host.clock).start();
    await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`);
    const { code, out, error } = await host.end('keys show');
    expect({ code, error }).to.deep.equal({ code: 0, error: '' });
    expect(out.trimEnd().split('\n').at(-1)).to.equal(
      `manager      mgr1, ${fingerprintOf({ curve: manager.own.publicKey })}, tcp://mgr1:5850`,
    );
  });

  it('prints the public key file alone with --public', async () => {
    const host = new PersonHost();
    await host.end('keys init');
    const keys = host.folder.load();
    const { code, out, error } = await host.end('keys show --public');
    expect({ code, error }).to.deep.equal({ code: 0, error: '' });
    expect(readPublicKeyFile(out, 'alice.pub')).to.deep.equal(keys === undefined ? '' : publicPartOf(keys));
  });

  it('shows no secret', async () => {
    const host = new PersonHost();
    await host.end('keys init');
    const { curve, sign } = host.folder.load() ?? {};
    const shown = `${(await host.end('keys show')).out}${(await host.end('keys show --public')).out}`;
    for (const secret of [curve?.secretKey ?? '-', sign?.secretKey ?? '-'])
      expect(shown).not.to.include(secret);
  });

  it('says how to make keys where there are none', async () => {
    expect(await new PersonHost().end('keys show')).to.deep.equal({
      ...{ code: 78, out: '' },
      error: `service-mgr-client: ${keyFile}: there are no keys yet: run "service-mgr-client join TOKEN"\n`,
    });
  });

  it('refuses keys that others can read', async () => {
    const host = new PersonHost();
    await host.end('keys init');
    host.keyFiles.put(keyFile, host.keyFiles.readSecret(keyFile), { mode: 0o640 });
    const { code, error } = await host.end('keys show');
    expect(code).to.equal(78);
    expect(error).to.include('mode is 0640, expected 0600 or 0400');
  });
});

describe('service-mgr-client keys rotate', () => {
  it('goes over to new keys when all managers have accepted them', async () => {
    const host = new PersonHost();
    const manager = await new JoinableManager(host.sockets, host.clock).start();
    await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`);
    const before = host.folder.load();
    const { code, error } = await host.end('keys rotate');
    const keys = host.folder.load();
    expect([code, keys?.name]).to.deep.equal([0, 'alice']);
    expect(keys?.sign?.publicKey).not.to.equal(before?.sign?.publicKey);
    expect(error).to.equal(
      `manager mgr1: accepted\nthe keys of operator alice are ${
        keys === undefined ? '' : fingerprintOfKeys(keys)
      } from now on\n`,
    );
  });

  it('ends with 69 while a manager is away, and goes on later', async () => {
    const host = new PersonHost();
    const manager = await new JoinableManager(host.sockets, host.clock).start();
    await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`);
    const before = host.folder.load();
    await manager.stop();
    const { code, error } = await host.end('keys rotate -t 200 -r 5');
    expect([code, host.folder.load()]).to.deep.equal([69, before]);
    expect(error).to.include('manager mgr1 does not answer (tcp://mgr1:5850 did not answer within 1 s)');
    await manager.start();
    expect((await host.end('keys rotate')).code).to.equal(0);
  });

  it('ends with 75 while somebody has to accept them', async () => {
    const host = new PersonHost();
    const manager = await new JoinableManager(host.sockets, host.clock).start();
    await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`);
    const keys = host.folder.load();
    const print = keys === undefined ? '' : fingerprintOfKeys(keys);
    manager.ring.revoke(print, host.clock.wallMs());
    manager.ring.remove(print);
    expect((await host.end('keys rotate')).code).to.equal(75);
  });

  it('needs keys and a manager', async () => {
    const host = new PersonHost();
    expect(await host.end('keys rotate')).to.include({ code: 78 });
    await host.end('keys init');
    expect(await host.end('keys rotate')).to.include({
      ...{
        code: 78,
        error: 'service-mgr-client: no manager was joined yet: run "service-mgr-client join TOKEN"\n',
      },
    });
  });
});
