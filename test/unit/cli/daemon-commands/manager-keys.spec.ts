import { expect } from 'chai';
import { fingerprintOf } from '../../../../src/security/fingerprint.ts';
import { newSecretKeys, printSecretKeyFile, readSecretKeyFile } from '../../../../src/security/key-file.ts';
import { printCurvePublic } from '../../../../src/security/keys.ts';
import { ServiceManagerError } from '../../../../src/wire/errors.ts';
import { managerHost } from '../../../fakes/command-host.ts';

const keyFile = '/var/lib/service-mgr/manager.key';
const created = '2026-01-01T00:00:00Z';

const keysOn = (host: ReturnType<typeof managerHost>) =>
  readSecretKeyFile(host.keyFiles.files.get(keyFile)?.text ?? '', keyFile);

describe('service-mgrd keys init', () => {
  it('makes the keys of the manager for the user that it runs as, and shows them', async () => {
    const host = managerHost();
    const { code, out, error } = await host.end('keys init');
    const keys = keysOn(host);
    const { publicKey } = keys.curve;
    expect(code).to.equal(0);
    expect(keys).to.deep.include({ kind: 'manager', name: 'mgr1', created });
    expect(host.keyFiles.files.get(keyFile)).to.include({ mode: 0o600, uid: 998 });
    expect(out).to.equal(
      [
        'manager      mgr1',
        `file         ${keyFile}`,
        `created      ${created}`,
        `fingerprint  ${fingerprintOf({ curve: publicKey })}`,
        `public key   ${printCurvePublic(publicKey)}`,
        '',
      ].join('\n'),
    );
    expect(error).to.equal(
      'now start service-mgrd, or start it again if it runs; then "service-mgrd token create --role agent" lets agents in\n',
    );
  });

  it('takes another name', async () => {
    const host = managerHost();
    await host.end('keys init --name mgr.example.org');
    expect(keysOn(host).name).to.equal('mgr.example.org');
  });

  it('shows no secret', async () => {
    const host = managerHost();
    const { out, error } = await host.end('keys init');
    expect(out + error).not.to.include(keysOn(host).curve.secretKey);
  });

  it('never overwrites keys, and says where they are and which', async () => {
    const host = managerHost();
    await host.end('keys init');
    const before = host.keyFiles.files.get(keyFile)?.text;
    const { code, out, error } = await host.end('keys init --name other');
    expect([code, out, host.keyFiles.files.get(keyFile)?.text]).to.deep.equal([78, '', before]);
    expect(error).to.equal(
      `service-mgrd: ${keyFile}: there are keys of manager mgr1 already, ${fingerprintOf({
        curve: keysOn(host).curve.publicKey,
      })}; keys are never overwritten\n`,
    );
  });

  it('refuses a name that no key may have', async () => {
    const host = managerHost();
    const { code, error } = await host.end('keys init --name ../x');
    expect(code).to.equal(64);
    expect(error).to.include("'--name <name>' argument '../x' is invalid. Expected a host name of");
    expect(host.keyFiles.files.size).to.equal(0);
  });

  it('needs a configuration file that was named', async () => {
    const host = managerHost();
    host.isThere = false;
    host.text = undefined;
    expect(await host.end('-f typo.conf keys init')).to.include({ code: 78, out: '' });
    expect(host.keyFiles.files.size).to.equal(0);
    expect((await host.end('keys init')).code).to.equal(0);
  });
});

describe('service-mgrd keys show', () => {
  it('shows the keys, also without a daemon that runs', async () => {
    const host = managerHost();
    const { out: made } = await host.end('keys init');
    expect(await host.end('keys show')).to.deep.equal({ code: 0, out: made, error: '' });
  });

  it('says how to make them where there are none', async () => {
    expect(await managerHost().end('keys show')).to.deep.equal({
      ...{ code: 78, out: '' },
      error: `service-mgrd: ${keyFile}: there are no keys yet: run "service-mgrd keys init"\n`,
    });
  });

  it('refuses keys that others can read', async () => {
    const host = managerHost();
    host.keyFiles.put(keyFile, printSecretKeyFile(newSecretKeys('manager', 'mgr1', 0)), { mode: 0o644 });
    const { code, out, error } = await host.end('keys show');
    expect([code, out]).to.deep.equal([78, '']);
    expect(error).to.include('mode is 0644, expected 0600 or 0400');
  });
});

describe('a command of service-mgrd', () => {
  it('says who may read the keys of the daemon to whoever may not', async () => {
    const host = managerHost();
    const cause = Object.assign(new Error('permission denied'), { code: 'EACCES' });
    host.home = {
      ...host.home,
      ownKeys: () => {
        throw new ServiceManagerError('BAD_CONFIG', `${keyFile}: cannot be read (permission denied)`, {
          cause,
        });
      },
    };
    for (const command of ['keys list', 'token list', 'status', 'stop']) {
      expect(await host.end(command), command).to.include({
        code: 78,
        error: `service-mgrd: ${keyFile}: cannot be read (permission denied): run it as root, or as the user of the daemon\n`,
      });
    }
  });

  it('shows its help where a command below it is missing, and names the one that was meant', async () => {
    expect((await managerHost().end('keys')).error).to.include('Usage: service-mgrd keys');
    const { code, error } = await managerHost().end('keys lst');
    const hint = 'Try "service-mgrd keys --help".';
    expect([code, error]).to.deep.equal([
      64,
      `error: unknown command 'lst'\n(Did you mean list?)\n${hint}\n`,
    ]);
  });
});
