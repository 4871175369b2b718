import { expect } from 'chai';
import { type Joiner, joiningKeys } from '../../../src/cli/join-keys.ts';
import type { JoinToken } from '../../../src/security/join-token.ts';
import { newSecretKeys, readSecretKeyFile } from '../../../src/security/key-file.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { KeyFolder } from '../../../src/store/key-folder.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { JoinRole } from '../../../src/wire/fields.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';

const keyFile = '/keys/own.key';
const nowMs = Date.UTC(2026, 0, 1);

function tokenFor(role: JoinRole, name?: string): JoinToken {
  const { publicKey: manager } = newCurveKeys();
  const token = { manager, id: '0'.repeat(16), secret: Buffer.alloc(24), role, expiresAtMs: nowMs };
  return name === undefined ? token : { ...token, name };
}

/** Somebody with no keys yet. */
function person(changes: Partial<Joiner> = {}) {
  const files = new MemoryKeyFiles();
  const folder = new KeyFolder({
    ...{ files, keyFile, kinds: ['operator', 'monitor'], managersFolder: '/keys/managers' },
  });
  const joiner: Joiner = {
    folder,
    roles: ['operator', 'monitor'],
    named: undefined,
    usualName: 'login',
    ...changes,
  };
  const join = (token?: JoinToken) => joiningKeys(joiner, token, nowMs);
  const refusal = (token?: JoinToken): string => {
    try {
      join(token);
    } catch (error) {
      if (isServiceManagerError(error) && error.code === 'BAD_USAGE') return error.message;
      throw error;
    }
    throw new Error('nothing was refused');
  };
  return { files, folder, join, refusal };
}

describe('who joins without keys', () => {
  it('gets some that are kept', () => {
    const { files, join } = person();
    const { role, name, keys, isNew } = join(tokenFor('operator'));
    expect({ role, name, isNew }).to.deep.equal({ role: 'operator', name: 'login', isNew: true });
    expect(readSecretKeyFile(files.files.get(keyFile)?.text ?? '', keyFile)).to.deep.equal(keys);
    expect(keys).to.include({ kind: 'operator', name: 'login', created: '2026-01-01T00:00:00Z' });
    expect(keys.sign).not.to.equal(undefined);
  });

  it('is what the token says, and called so', () => {
    expect(person().join(tokenFor('monitor', 'nagios'))).to.deep.include({ role: 'monitor', name: 'nagios' });
  });

  it('is the first thing that the program may be where nothing says what', () => {
    expect(person().join()).to.deep.include({ role: 'operator', name: 'login' });
  });

  it('is called as the program is told, before its usual name', () => {
    const named = { says: '--name says', name: 'bob' };
    expect(person({ named }).join(tokenFor('operator')).name).to.equal('bob');
    expect(person({ named }).join(tokenFor('operator', 'bob')).name).to.equal('bob');
  });

  it('is refused with a token for another name, and makes no keys then', () => {
    const { files, refusal } = person({ named: { says: 'this node is called', name: 'web2' } });
    expect(refusal(tokenFor('operator', 'web1'))).to.equal(
      'the join token is for web1, but this node is called web2',
    );
    expect(files.files.size).to.equal(0);
  });

  it('is refused where the usual name is none for keys', () => {
    const { files, refusal } = person({ usualName: 'DOMAIN\\alice' });
    expect(refusal()).to.match(
      /^"DOMAIN\\\\alice" is no name for keys, expected a host name of .*: say --name$/,
    );
    expect(files.files.size).to.equal(0);
  });

  it('is told which program a token is for', () => {
    const { files, refusal } = person();
    expect(refusal(tokenFor('agent'))).to.equal(
      'the join token is for an agent: it is to be used with "service-mgr-agentd join"',
    );
    const agent = person({ roles: ['agent'] });
    expect(agent.refusal(tokenFor('monitor'))).to.equal(
      'the join token is for a monitor: it is to be used with "service-mgr-client join"',
    );
    expect([files.files.size, agent.files.files.size]).to.deep.equal([0, 0]);
  });
});

describe('who joins with keys', () => {
  it('keeps them, their kind and their name', () => {
    const { folder, join } = person();
    const keys = newSecretKeys('monitor', 'nagios', 0);
    folder.create(keys);
    for (const token of [undefined, tokenFor('monitor'), tokenFor('monitor', 'nagios')])
      expect(join(token)).to.deep.equal({ role: 'monitor', name: 'nagios', keys, isNew: false });
  });

  it('is refused with a token for another name or another kind, and told of both', () => {
    const { folder, refusal } = person();
    folder.create(newSecretKeys('operator', 'alice', 0));
    expect(refusal(tokenFor('operator', 'bob'))).to.equal(
      `the join token is for bob, but ${keyFile} has the keys of alice`,
    );
    expect(refusal(tokenFor('monitor'))).to.equal(
      `the join token is for a monitor, but ${keyFile} has the keys of operator alice`,
    );
  });

  it('is refused where the program says another name', () => {
    const { folder, refusal } = person({ named: { says: '--name says', name: 'bob' } });
    folder.create(newSecretKeys('operator', 'alice', 0));
    expect(refusal()).to.equal(`--name says bob, but ${keyFile} has the keys of alice`);
  });
});
